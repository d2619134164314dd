"""Which nodes leave, which stay, and which are called back: with a probe that tells what runs on each."""

from datetime import timedelta

import pytest
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import IdlePolicy, Objective, TaskPolicy
from emr_simulator.clusters import Node
from emr_simulator.workloads.model import Job, Stage

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PER_NODE = 6
"""Containers of 2048 MiB on one node."""


def begun(*, task: int, gap_seconds: int = 0, masters: bool = True, **policy: object) -> tuple[Story, str]:
    """A cluster with a probe whose two core nodes are busy for hours, with task nodes beside them."""
    world = calm_world(probe_period_seconds=10, application_masters=masters, stage_gap_seconds=gap_seconds)
    rules = TaskPolicy(**{"min_nodes": task, "max_nodes": task, "scale_in_cooldown": MINUTE, **policy})
    story = Story(world, live(task=rules, idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(
        cluster(core=2, task=task, tags=OPTED_IN),
        prepare=lambda new: world.submit_job(new, job(tasks=2 * PER_NODE, seconds=6 * 3600)),
    )
    return story, cluster_id


def task_nodes(story: Story, cluster_id: str, name: str = "task") -> list[Node]:
    return story.groups(cluster_id)[name].nodes


def allow(story: Story, **policy: object) -> None:
    rules = TaskPolicy(**{"scale_in_cooldown": MINUTE, "objective": Objective.COST, **policy})
    story.policies.put(live(task=rules, idle=IdlePolicy(enabled=False)))


def quiet_session(seconds: int = 300) -> Job:
    """An application that does something, waits for its user, and does something again."""
    first = Stage(tasks=1, seconds=seconds, container_mib=2048)
    second = Stage(tasks=1, seconds=60, container_mib=2048, parents=(0,))
    return Job(name="session", submit_after_seconds=0, stages=(first, second))


def test_the_host_of_an_application_master_stays_although_nothing_else_runs_on_it() -> None:
    story, cluster_id = begun(task=4, gap_seconds=3600)
    story.world.submit_job(cluster_id, quiet_session())
    story.run(6 * MINUTE)
    yarn = story.world.yarn(cluster_id)
    (host,) = [n for n in task_nodes(story, cluster_id) if n.yarn and yarn.masters_on(n.yarn)]
    allow(story, min_nodes=0, max_nodes=4)
    story.run(30 * MINUTE)
    assert task_nodes(story, cluster_id) == [host]
    assert story.decisions(cluster_id, DecisionKind.TASK)[-1].decision.reason is Reason.HOSTS_APPLICATION_MASTERS
    assert not host.draining
    story.run(HOUR)
    assert task_nodes(story, cluster_id) == []
    assert yarn.masters_lost == 0
    assert story.system.given_up == []


def test_a_held_shrink_asks_emr_only_once_who_is_who() -> None:
    story, cluster_id = begun(task=1, gap_seconds=3600)
    story.world.submit_job(cluster_id, quiet_session())
    story.run(6 * MINUTE)
    allow(story, min_nodes=0, max_nodes=4)
    story.run(10 * MINUTE)
    before = dict(story.world.calls)
    story.run(4 * MINUTE)
    asked = {name for name, count in story.world.calls.items() if count > before.get(name, 0)}
    assert "ModifyInstanceGroups" not in asked
    assert not {"ListInstances"} & asked
    assert story.ordered(cluster_id) == 1


def test_an_alarm_between_two_snapshots_takes_no_host_of_an_application_master() -> None:
    story, cluster_id = begun(task=2, gap_seconds=3600)
    story.world.submit_job(cluster_id, quiet_session())
    story.run(6 * MINUTE)
    allow(story, min_nodes=0, max_nodes=4)
    record = story.system.use_cases.scale_task_groups(cluster_id, trigger="alarm")
    assert record is not None
    assert record.decision.action is Action.HOLD
    story.run(5 * MINUTE)
    assert story.ordered(cluster_id) == 1


def test_the_emptiest_nodes_leave_and_are_named() -> None:
    story, cluster_id = begun(task=3)
    for tasks, seconds in ((PER_NODE, 60), (4, 3000), (2, 60), (1, 3000)):
        story.world.submit_job(cluster_id, job(tasks=tasks, seconds=seconds))
    story.run(5 * MINUTE)
    empty, four, one = task_nodes(story, cluster_id)
    assert [n.yarn.containers for n in (empty, four, one) if n.yarn] == [0, 4, 1]
    allow(story, min_nodes=2, max_nodes=4)
    story.run(15 * MINUTE)
    assert task_nodes(story, cluster_id) == [four, one]
    (shrink,) = [r for r in story.decisions(cluster_id) if r.decision.action is Action.SCALE_IN]
    (target,) = shrink.decision.targets
    assert target.leave_first == (empty.ec2_id,)
    assert set(target.protected) == {four.ec2_id, one.ec2_id}


def test_what_runs_for_longer_than_the_decommission_timeout_is_not_cut_off_by_a_shrink() -> None:
    story, cluster_id = begun(task=6, masters=False, decommission_timeout=15 * MINUTE)
    for n in range(36):
        story.world.submit_job(cluster_id, job(tasks=1, seconds=(60 + 37 * n % 80) * 60))
        story.run(4 * MINUTE)
    allow(story, min_nodes=0, max_nodes=6, decommission_timeout=15 * MINUTE)
    story.run(2 * HOUR)
    shrinks = [r.decision for r in story.decisions(cluster_id) if r.decision.action is Action.SCALE_IN]
    allowed = [target.decommission_timeout for shrink in shrinks for target in shrink.targets]
    assert story.world.yarn(cluster_id).lost_container_seconds == 0
    assert max(filter(None, allowed)) > HOUR


def test_nodes_that_drain_are_called_back_before_a_new_one_is_bought() -> None:
    story, cluster_id = begun(task=4, instance_types=("m5.xlarge",))
    for _ in range(4):
        story.world.submit_job(cluster_id, job(tasks=PER_NODE - 1, seconds=60))
        story.world.submit_job(cluster_id, job(tasks=1, seconds=3000))
    story.run(5 * MINUTE)
    nodes = list(task_nodes(story, cluster_id))
    assert [n.yarn.containers for n in nodes if n.yarn] == [1] * 4
    for node in nodes:
        for app in story.world.yarn(cluster_id).live:
            if app.master is node.yarn:
                app.master = None  # masters run elsewhere in this story
    allow(story, min_nodes=0, max_nodes=4, instance_types=("m5.xlarge",))
    story.run(5 * MINUTE)
    assert sum(node.draining for node in nodes) == 3
    story.world.submit_job(cluster_id, job(tasks=5000, seconds=60))
    story.run(3 * MINUTE)
    assert task_nodes(story, cluster_id) == nodes
    assert not any(node.draining for node in nodes)
    assert story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"].all_nodes == []
    assert story.ordered(cluster_id) == 4
    story.run(20 * MINUTE)
    assert not any(node.is_gone for node in nodes)


def half_booted(*, ready_nodes_leave_first: bool) -> tuple[Story, str]:
    """Three nodes at work and seven that boot, when the maximum is lowered to five."""
    world = calm_world(
        probe_period_seconds=10, application_masters=True, ready_nodes_leave_first=ready_nodes_leave_first
    )
    rules = TaskPolicy(min_nodes=3, max_nodes=10, instance_types=("m5.xlarge",))
    story = Story(world, live(task=rules, idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(10 * MINUTE)
    world.submit_job(cluster_id, job(tasks=20_000, seconds=120))
    story.run(3 * MINUTE)
    (nodes,) = (
        g.nodes for g in story.groups(cluster_id).values() if g.spec.name == "emr-autoscaler spot m5.xlarge"
    )
    assert [bool(n.yarn) for n in nodes] == [True] * 3 + [False] * 7
    allow(story, min_nodes=3, max_nodes=5, instance_types=("m5.xlarge",))
    story.run(MINUTE / 2)
    assert any(n.draining for n in nodes) is ready_nodes_leave_first
    return story, cluster_id


@pytest.mark.parametrize("ready", [False, True], ids=["booting nodes go first", "ready nodes go first"])
def test_a_group_lowered_while_it_boots_ends_at_its_count_and_loses_no_work(*, ready: bool) -> None:
    story, cluster_id = half_booted(ready_nodes_leave_first=ready)
    story.run(20 * MINUTE)
    group = story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"]
    assert (group.requested, group.running, len(group.nodes)) == (5, 5, 5)
    assert not any(node.draining for node in group.nodes)
    yarn = story.world.yarn(cluster_id)
    assert (yarn.lost_container_seconds, yarn.masters_lost) == (0, 0)
    assert [r.decision.reason for r in story.decisions(cluster_id) if r.decision.action is Action.SCALE_IN] == [
        Reason.ABOVE_MAXIMUM
    ]
    assert story.system.given_up == []


@pytest.mark.parametrize("ready", [False, True], ids=["booting nodes go first", "ready nodes go first"])
def test_a_group_lowered_while_it_boots_is_raised_again_without_a_node_too_many(*, ready: bool) -> None:
    story, cluster_id = half_booted(ready_nodes_leave_first=ready)
    allow(story, min_nodes=3, max_nodes=10, instance_types=("m5.xlarge",))
    most: list[int] = []
    story.watch = lambda: most.append(len(story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"].nodes))
    story.run(30 * MINUTE)
    group = story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"]
    assert (group.requested, group.running) == (10, 10)
    assert max(most) <= 10
    assert story.world.yarn(cluster_id).lost_container_seconds == 0
