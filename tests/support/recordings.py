"""Recordings for tests: made from rows of numbers, or recorded on a World that a policy drives."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from emr_autoscaler.domain.metrics import MetricName
from emr_simulator.backtest.reading import groups_of
from emr_simulator.backtest.recording import NEEDED, Recording, Sample

BEGIN = datetime(2026, 10, 5, tzinfo=UTC)
PERIOD = timedelta(minutes=5)
NODE_MIB = 12288
CONTAINER_MIB = 2048

Row = tuple[int, ...] | None
"""Task nodes, containers running, containers waiting and, maybe, applications submitted; None where the sample is
missing."""


def values(task_nodes: int, running: int, waiting: int, *submitted: int, core_nodes: int = 2) -> dict:
    """Return the metrics of one sample."""
    total = (core_nodes + task_nodes) * NODE_MIB
    numbers = (total, running * CONTAINER_MIB, running, waiting, core_nodes, task_nodes)
    needed = dict(zip(NEEDED, map(float, numbers), strict=True))
    return needed | ({MetricName.APPS_SUBMITTED: float(submitted[0])} if submitted else {})


def recording(rows: Sequence[Row], *, period: timedelta = PERIOD, instance_type: str = "m5.xlarge") -> Recording:
    """Return a recording with one sample for each row that is there."""
    return Recording(
        source="test",
        cluster_id="j-TEST",
        period=period,
        groups=groups_of(instance_type),
        samples=tuple(
            Sample(at=BEGIN + index * period, values=values(*row)) for index, row in enumerate(rows) if row
        ),
    )


def constant(running: int, *, samples: int = 48, task_nodes: int = 4) -> Recording:
    """Return a recording of a load that never changes."""
    return recording([(task_nodes, running, 0)] * samples)
