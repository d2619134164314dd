"""Writes the sample recordings that ship: a synthetic day on static clusters, as a World publishes it.

python -m emr_simulator.backtest.sample > docs/samples/synthetic-day.json
python -m emr_simulator.backtest.sample fleet > docs/samples/fleet-day.json
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Market, Role
from emr_simulator.backtest.recording import Recording, record
from emr_simulator.descriptions import ClusterSpec
from emr_simulator.experiment import MetricsMode, Setup, reference_settings, run_experiment
from emr_simulator.fleet_descriptions import FleetSpec, FleetTypeSpec
from emr_simulator.inprocess.cloudwatch import WorldMetrics
from emr_simulator.inprocess.emr import WorldClusterReader
from emr_simulator.policies.static import StaticPolicy
from emr_simulator.words import Role as SimulatedRole
from emr_simulator.workloads.synthetic import synthetic_day
from emr_simulator.world import World

SEED = 3
TASK_NODES = 14
FLEET_TYPES = {"m5.xlarge": 1, "m5.2xlarge": 2, "r5.xlarge": 2}
FLEET_UNITS = 14
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


def fleet_sample_recording() -> Recording:
    """Return the recording of docs/samples/fleet-day.json: the day on a task fleet of three types."""
    lossy = replace(reference_settings(MetricsMode.FIVE_MINUTES), lost_metric_fraction=LOST_SAMPLES)
    begin = datetime(2026, 10, 5, 0, 30, tzinfo=UTC)
    world = World(seed=SEED, start=begin - timedelta(minutes=30), settings=lossy)
    one = (FleetTypeSpec(instance_type="m5.xlarge"),)
    types = tuple(FleetTypeSpec(instance_type=name, units=units) for name, units in FLEET_TYPES.items())
    fleets = (
        FleetSpec(role=SimulatedRole.MASTER, types=one, on_demand_units=1),
        FleetSpec(role=SimulatedRole.CORE, types=one, on_demand_units=2),
        FleetSpec(role=SimulatedRole.TASK, types=types, spot_units=FLEET_UNITS),
    )
    cluster_id = world.emr.run_job_flow(ClusterSpec(name="fleets", fleets=fleets))
    for job in synthetic_day(seed=SEED).jobs:
        world.submit_job(cluster_id, job, at=begin + timedelta(seconds=job.submit_after_seconds))
    world.run_until(begin + DAY)
    described = WorldClusterReader(world).list_instance_fleets(cluster_id)
    recording = record(WorldMetrics(world), cluster_id, (), described, start=begin, end=begin + DAY)
    return replace(recording, cluster_id="j-FLEETDAY")


if __name__ == "__main__":
    chosen = fleet_sample_recording if sys.argv[1:] == ["fleet"] else sample_recording
    sys.stdout.write(chosen().to_text())
