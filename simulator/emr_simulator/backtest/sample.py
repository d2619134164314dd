"""Writes the sample recording that ships: a synthetic day on a static cluster, as a World publishes it.

python -m emr_simulator.backtest.sample > docs/samples/synthetic-day.json
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Market, Role
from emr_simulator.backtest.recording import Recording, record
from emr_simulator.experiment import MetricsMode, Setup, reference_settings, run_experiment
from emr_simulator.inprocess.cloudwatch import WorldMetrics
from emr_simulator.policies.static import StaticPolicy
from emr_simulator.workloads.synthetic import synthetic_day
from emr_simulator.world import World

SEED = 3
TASK_NODES = 14
LOST_SAMPLES = 0.01
DAY = timedelta(days=1)


class _Watched(StaticPolicy):
    """A static cluster that is looked at when its day is over."""

    world: World
    cluster_id: str

    def start(self, world: World, cluster_id: str) -> None:
        self.world, self.cluster_id = world, cluster_id

    def on_events(self, world: World, events: Sequence[dict[str, Any]]) -> None:
        """Do nothing."""


def sample_recording() -> Recording:
    """Return the recording of docs/samples/synthetic-day.json."""
    setup, policy = Setup(), _Watched(TASK_NODES)
    run_experiment(
        policy=policy,
        workload=synthetic_day(seed=SEED),
        seed=SEED,
        setup=setup,
        settings=replace(reference_settings(MetricsMode.FIVE_MINUTES), lost_metric_fraction=LOST_SAMPLES),
    )
    groups = [
        InstanceGroup(
            group_id=role,
            role=role,
            market=Market.ON_DEMAND,
            instance_type=setup.instance_type,
            requested_count=0,
            running_count=0,
            state=GroupState.RUNNING,
        )
        for role in (Role.CORE, Role.TASK)
    ]
    begin = datetime(2026, 10, 5, 0, 30, tzinfo=UTC)
    reader = WorldMetrics(policy.world)
    recording = record(reader, policy.cluster_id, groups, start=begin, end=begin + DAY)
    return replace(recording, cluster_id="j-SYNTHETICDAY")


if __name__ == "__main__":
    sys.stdout.write(sample_recording().to_text())
