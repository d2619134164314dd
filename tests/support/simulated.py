"""Small simulated worlds for tests of the simulator; clusters come up 300 s after their request."""

from datetime import UTC, datetime, timedelta

from emr_simulator.clusters import Group
from emr_simulator.descriptions import ClusterSpec, GroupResize, GroupSpec, StepSpec
from emr_simulator.settings import UniformDelay, WorldSettings
from emr_simulator.words import Market, Role
from emr_simulator.workloads.model import Job, Stage
from emr_simulator.world import World

START = datetime(2026, 10, 5, 12, tzinfo=UTC)
BOOT_SECONDS = 300


def seconds(count):
    return timedelta(seconds=count)


def a_world(seed=1, **settings):
    return World(
        seed=seed,
        start=START,
        settings=WorldSettings(
            **{
                "provisioning_delay": UniformDelay(low_seconds=BOOT_SECONDS, high_seconds=BOOT_SECONDS),
                "publish_delay": UniformDelay(low_seconds=90, high_seconds=90),
                "spot_prices_move": False,
                **settings,
            }
        ),
    )


def groups(core=4, task=0, market=Market.SPOT, task_type="m5.xlarge"):
    on_demand = Market.ON_DEMAND
    return (
        GroupSpec(role=Role.MASTER, market=on_demand, instance_type="m5.xlarge", count=1),
        GroupSpec(role=Role.CORE, market=on_demand, instance_type="m5.xlarge", count=core),
        GroupSpec(role=Role.TASK, market=market, instance_type=task_type, count=task),
    )


def a_cluster(world, *, core=4, task=0, market=Market.SPOT, up=True, **spec):
    """Run a cluster of one master, ``core`` and one task group; wait until its nodes are there."""
    cluster_id = world.emr.run_job_flow(ClusterSpec(name="test", groups=groups(core, task, market), **spec))
    if up:
        world.run_for(seconds(BOOT_SECONDS))
    return cluster_id


def group_of(world, cluster_id, role=Role.TASK) -> Group:
    return next(g for g in world.inside(cluster_id).groups.values() if g.spec.role is role)


def resize(world, cluster_id, count, role=Role.TASK, **order):
    group = group_of(world, cluster_id, role)
    world.emr.modify_instance_groups(cluster_id, [GroupResize(group_id=group.group_id, count=count, **order)])
    return group


def a_job(tasks=6, lasting=100, name="job", **job):
    return Job(name=name, stages=(Stage(tasks=tasks, seconds=lasting),), **job)


def a_step(tasks=6, lasting=100, name="step"):
    return StepSpec(name=name, job=a_job(tasks, lasting, name))


def events_of(world, detail_type):
    return [event for event in world.take_events() if event["detail-type"] == detail_type]
