"""Clusters with a task fleet of three types, and what stories ask of them."""

from collections.abc import Sequence
from datetime import timedelta

from tests.support.stories import OPTED_IN, Story, job
from tests.support.worlds import fleet, fleet_cluster

from emr_autoscaler.domain.fleets import FleetTarget
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.record import DecisionRecord
from emr_simulator.fleet_descriptions import FleetSpec
from emr_simulator.fleets import Fleet
from emr_simulator.words import Market, Role
from emr_simulator.workloads.model import Job

MIXED = {"m5.xlarge": 1, "m5.2xlarge": 2, "r5.xlarge": 2}
SETTLE = timedelta(minutes=40)


def cluster(task: FleetSpec | None, **options):
    return fleet_cluster(task=task, tags=OPTED_IN, **options)


def task_fleet(spot: int = 1, **options) -> FleetSpec:
    return fleet(Role.TASK, spot=spot, types=MIXED, **options)


def inside(story: Story, cluster_id: str, role: Role = Role.TASK) -> Fleet:
    (found,) = (g for g in story.world.inside(cluster_id).groups.values() if g.spec.role is role)
    assert isinstance(found, Fleet)
    return found


def in_units(**changes) -> TaskPolicy:
    """Up to 12 units, for containers of ten minutes."""
    return TaskPolicy(**{"max_nodes": 12, "expected_task_seconds": 600, **changes})


def targets(story: Story, cluster_id: str) -> tuple[int, int]:
    """Units asked for of the task fleet: on demand, spot."""
    found = inside(story, cluster_id)
    return found.targets[Market.ON_DEMAND], found.targets[Market.SPOT]


def orders(records: Sequence[DecisionRecord]) -> list[FleetTarget]:
    return [t for r in records for t in r.decision.targets if isinstance(t, FleetTarget)]


def busy(tasks: int = 60, seconds: int = 3600) -> Job:
    """Work for some 24 units of 12 GiB."""
    return job(tasks=tasks, seconds=seconds, mib=4096)
