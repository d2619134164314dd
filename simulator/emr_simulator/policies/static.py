"""static:N: a fixed number of on-demand task nodes, there from the start to the end."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from emr_simulator.descriptions import GroupSpec
from emr_simulator.experiment import Setup
from emr_simulator.words import Role
from emr_simulator.world import World


class StaticPolicy:
    """Asks for ``task_count`` nodes with the cluster, and for nothing after."""

    def __init__(self, task_count: int) -> None:
        if task_count < 0:
            msg = f"static: a count of at least 0 expected, got {task_count}"
            raise ValueError(msg)
        self._task_count = task_count

    @property
    def task_count(self) -> int:
        """How many task nodes it keeps."""
        return self._task_count

    @property
    def name(self) -> str:
        """static:N."""
        return f"static:{self._task_count}"

    def prepare(self, setup: Setup) -> tuple[tuple[GroupSpec, ...], dict[str, str]]:
        """Return one task group of the fixed size."""
        group = GroupSpec(
            role=Role.TASK,
            market=setup.market,
            instance_type=setup.instance_type,
            count=self._task_count,
            name="static",
        )
        return (group,), {}

    def start(self, world: World, cluster_id: str) -> None:
        """Do nothing."""

    def next_tick(self) -> datetime | None:
        """Never."""
        return None

    def on_tick(self, world: World) -> None:
        """Do nothing."""

    def on_events(self, world: World, events: Sequence[dict[str, Any]]) -> None:
        """Do nothing."""
