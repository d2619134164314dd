"""Groups that EMR has stopped are never resized and are reported once each time; refusals are tried again."""

from datetime import timedelta

import pytest
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, TaskPolicy
from emr_autoscaler.domain.record import Outcome
from emr_simulator.words import GroupState

MINUTE = timedelta(minutes=1)
STOPPED = {
    GroupState.SUSPENDED: (Reason.GROUP_SUSPENDED, "resume it with a count"),
    GroupState.ARRESTED: (Reason.GROUP_ARRESTED, "set its count anew"),
    GroupState.RECONFIGURING: (Reason.GROUP_RECONFIGURING, "EMR ends this by itself"),
}
EACH = pytest.mark.parametrize("state", STOPPED, ids=str)


def begun(**task: object) -> tuple[Story, str]:
    policy = live(task=TaskPolicy(**{"max_nodes": 6, **task}), idle=IdlePolicy(enabled=False))
    story = Story(calm_world(), policy)
    cluster_id = story.start(cluster(core=2, task=1, spot=1, tags=OPTED_IN))
    return story, cluster_id


def stop(story: Story, cluster_id: str, name: str, state: GroupState) -> None:
    story.world.set_group_state(cluster_id, story.groups(cluster_id)[name].group_id, state)


def reports(story: Story, cluster_id: str) -> list[Reason]:
    stopping = {reason for reason, _ in STOPPED.values()}
    return [r.decision.reason for r in story.decisions(cluster_id) if r.decision.reason in stopping]


@EACH
def test_a_stopped_group_is_not_resized_and_the_others_are(state: GroupState) -> None:
    story, cluster_id = begun()
    before = story.groups(cluster_id)["spot"].requested
    stop(story, cluster_id, "spot", state)
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(30 * MINUTE)
    groups = story.groups(cluster_id)
    assert (groups["spot"].requested, groups["task"].requested) == (before, 6 - before)
    assert story.system.given_up == []


@EACH
def test_a_stopped_group_is_reported_once_for_each_episode_with_its_fix(state: GroupState) -> None:
    story, cluster_id = begun(min_nodes=2)
    reason, fix = STOPPED[state]
    stop(story, cluster_id, "spot", state)
    story.run(timedelta(hours=1))
    assert reports(story, cluster_id) == [reason]
    (sent,) = [n for n in story.ports.notifier.sent if n.attributes["reason"] == reason]
    assert fix in sent.body
    assert story.groups(cluster_id)["spot"].group_id in sent.body
    stop(story, cluster_id, "spot", GroupState.RUNNING)
    story.run(10 * MINUTE)
    stop(story, cluster_id, "spot", state)
    story.run(10 * MINUTE)
    assert reports(story, cluster_id) == [reason, reason]


def test_a_stopped_group_whose_event_was_lost_is_reported_by_the_sweep() -> None:
    story, cluster_id = begun(min_nodes=2)
    story._mangle = lambda _events: []
    stop(story, cluster_id, "spot", GroupState.ARRESTED)
    story.run(12 * MINUTE)
    assert reports(story, cluster_id) == [Reason.GROUP_ARRESTED]


def test_work_that_waited_for_a_stopped_group_is_answered_as_soon_as_it_runs_again() -> None:
    story, cluster_id = begun()
    for name in ("spot", "task"):
        stop(story, cluster_id, name, GroupState.RECONFIGURING)
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(15 * MINUTE)
    assert story.decisions(cluster_id, DecisionKind.TASK)[-1].decision.reason is Reason.GROUPS_UNAVAILABLE
    stop(story, cluster_id, "task", GroupState.RUNNING)
    story.run(MINUTE)
    assert story.groups(cluster_id)["task"].requested == 6 - story.groups(cluster_id)["spot"].requested


def test_a_stopped_core_group_is_reported_and_left_alone() -> None:
    policy = live(task=TaskPolicy(enabled=False), core=CorePolicy(max_nodes=6), idle=IdlePolicy(enabled=False))
    story = Story(calm_world(), policy)
    cluster_id = story.start(
        cluster(core=4, tags=OPTED_IN), prepare=lambda new: story.world.set_hdfs_used_gib(new, 130)
    )
    stop(story, cluster_id, "core", GroupState.SUSPENDED)
    story.world.set_hdfs_used_gib(cluster_id, 0.9 * story.world.inside(cluster_id).hdfs.capacity_gib)
    story.run(timedelta(hours=1))
    assert story.groups(cluster_id)["core"].requested == 4
    assert reports(story, cluster_id) == [Reason.GROUP_SUSPENDED]


@pytest.mark.parametrize(
    "message",
    [
        "Instance group cannot be resized while a reconfiguration request is in progress.",
        "Your account is currently running the maximum number of instances.",
    ],
    ids=["reconfiguration", "quota"],
)
def test_a_resize_that_emr_refuses_changes_nothing_and_is_tried_again(message: str) -> None:
    story, cluster_id = begun()
    story.run(30 * MINUTE)
    story.world.refuse_resizes(cluster_id, until=story.world.now + 25 * MINUTE, message=message)
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(22 * MINUTE)
    failed = [r for r in story.decisions(cluster_id, DecisionKind.TASK) if r.outcome is Outcome.FAILED]
    assert 2 <= len(failed) <= 6
    assert message in failed[0].error
    assert story.ordered(cluster_id) == 0
    story.run(15 * MINUTE)
    assert story.ordered(cluster_id) == 6
    assert story.actions(cluster_id, DecisionKind.TASK)[-1] is Action.SCALE_OUT


def test_a_refusal_that_lasts_is_told_once_an_hour() -> None:
    story, cluster_id = begun()
    story.run(30 * MINUTE)
    message = "Your account is currently running the maximum number of instances."
    story.world.refuse_resizes(cluster_id, until=story.world.now + timedelta(hours=2), message=message)
    story.world.submit_job(cluster_id, job(tasks=100_000))
    story.run(timedelta(hours=1))
    assert len([n for n in story.ports.notifier.sent if message in n.body]) == 1
