"""Application masters on the nodes of a task fleet, of which nobody can say which nodes leave."""

from datetime import timedelta

from tests.support.fleet_scenes import inside
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, fleet, fleet_cluster

from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.policy import IdlePolicy, Objective, TaskPolicy
from emr_simulator.clusters import Node
from emr_simulator.words import Role
from emr_simulator.workloads.model import Job, Stage

MINUTE = timedelta(minutes=1)
PER_NODE = 6
"""Containers of 2048 MiB on one m5.xlarge."""


def begun(*, units: int, types: dict[str, int] | None = None, gap_seconds: int = 0) -> tuple[Story, str]:
    """A cluster with a probe whose core is busy for hours, and a task fleet on spot beside it."""
    world = calm_world(
        probe_period_seconds=10,
        application_masters=True,
        stage_gap_seconds=gap_seconds,
        decommission_timeout_seconds=1800,
    )
    story = Story(world, live(task=policy(min_nodes=units, max_nodes=units), idle=IdlePolicy(enabled=False)))
    spec = fleet_cluster(core=2, task=fleet(Role.TASK, spot=units, types=types), tags=OPTED_IN)
    cluster_id = story.start(
        spec, prepare=lambda new: world.submit_job(new, job(tasks=2 * PER_NODE, seconds=6 * 3600))
    )
    return story, cluster_id


def policy(**changes: object) -> TaskPolicy:
    return TaskPolicy(**{"scale_in_cooldown": MINUTE, "objective": Objective.COST, **changes})


def allow_none(story: Story, most: int) -> None:
    story.policies.put(live(task=policy(min_nodes=0, max_nodes=most), idle=IdlePolicy(enabled=False)))


def nodes(story: Story, cluster_id: str) -> list[Node]:
    return [node for node in inside(story, cluster_id).nodes if not node.draining]


def session(seconds: int) -> Job:
    """An application that does something, waits for its user, and does something again."""
    first = Stage(tasks=1, seconds=seconds, container_mib=2048)
    return Job(
        name="session",
        submit_after_seconds=0,
        stages=(first, Stage(tasks=1, seconds=60, container_mib=2048, parents=(0,))),
    )


def test_a_fleet_keeps_the_host_of_a_master_longer_than_emr_would_wait_for_it_and_gives_idle_nodes_back() -> None:
    story, cluster_id = begun(units=4, gap_seconds=2 * 3600)
    story.world.submit_job(cluster_id, session(300))
    story.run(6 * MINUTE)
    yarn = story.world.yarn(cluster_id)
    (host,) = [node for node in nodes(story, cluster_id) if node.yarn and yarn.masters_on(node.yarn)]
    allow_none(story, 4)
    story.run(75 * MINUTE)
    assert nodes(story, cluster_id) == [host]
    reasons = [record.decision.reason for record in story.decisions(cluster_id)]
    assert Reason.HOSTS_APPLICATION_MASTERS in reasons
    story.run(timedelta(hours=2))
    assert nodes(story, cluster_id) == []
    assert (yarn.masters_lost, yarn.killed_apps) == (0, 0)
    assert story.system.given_up == []


def test_busy_nodes_beside_a_master_are_kept_until_they_are_idle() -> None:
    story, cluster_id = begun(units=3)
    for _ in range(3):
        story.world.submit_job(cluster_id, job(tasks=PER_NODE - 1, seconds=60))
        story.world.submit_job(cluster_id, job(tasks=1, seconds=5000))
    story.run(5 * MINUTE)
    assert [n.yarn.containers for n in nodes(story, cluster_id) if n.yarn] == [1] * 3
    allow_none(story, 3)
    story.run(40 * MINUTE)
    assert len(nodes(story, cluster_id)) == 3
    assert Action.SCALE_IN not in story.actions(cluster_id)
    story.run(timedelta(hours=2))
    assert nodes(story, cluster_id) == []
    assert story.world.yarn(cluster_id).masters_lost == 0


def test_a_held_fleet_asks_ec2_and_emr_only_once_who_is_who() -> None:
    story, cluster_id = begun(units=1, gap_seconds=3600)
    story.world.submit_job(cluster_id, session(300))
    story.run(6 * MINUTE)
    allow_none(story, 4)
    story.run(10 * MINUTE)
    before = dict(story.world.calls)
    story.run(4 * MINUTE)
    asked = {name: count - before.get(name, 0) for name, count in story.world.calls.items()}
    assert not asked.get("ModifyInstanceFleet")
    assert asked["ListInstanceFleets"] <= 1  # the sweep's
    assert asked["DescribeInstances"] <= 1  # the market's


def test_an_alarm_between_two_snapshots_takes_no_unit_of_a_fleet() -> None:
    story, cluster_id = begun(units=2, gap_seconds=3600)
    story.world.submit_job(cluster_id, session(300))
    story.run(6 * MINUTE)
    allow_none(story, 4)
    record = story.system.use_cases.scale_task_groups(cluster_id, trigger="alarm")
    assert record is not None
    assert record.decision.action is Action.HOLD


def test_in_a_fleet_of_several_sizes_no_host_of_a_master_is_taken_for_an_idle_node_that_does_not_fit() -> None:
    story, cluster_id = begun(units=6, types={"m5.xlarge": 1, "m5.2xlarge": 2}, gap_seconds=2 * 3600)
    story.world.submit_job(cluster_id, session(300))
    story.run(6 * MINUTE)
    yarn = story.world.yarn(cluster_id)
    allow_none(story, 6)
    story.run(75 * MINUTE)
    (host,) = nodes(story, cluster_id)
    assert yarn.masters_on(host.yarn) == 1
    assert yarn.masters_lost == 0
