"""Alerts, announcements and what enrolment made are told once, and told although an invocation dies."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.fleet_scenes import cluster as fleet_cluster
from tests.support.stories import OPTED_IN, Story, live
from tests.support.telling import MINUTE, NO_IDLE, Invoke, busy, fail_at, scale, told
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.messages.policy import parse_policy
from emr_simulator.inprocess.policies import MemoryPolicies


def warn_core(story: Story, cluster_id: str) -> Invoke:
    core = next(iter(story.groups(cluster_id)["core"].nodes)).ec2_id
    at = story.world.now
    return lambda cases: cases.handle_interruption.answer_warning(core, warned_at=at, trigger="event-1")


def test_a_warned_core_node_is_told_once_though_the_warning_comes_twice() -> None:
    story, cluster_id = busy()
    answer = warn_core(story, cluster_id)
    for _ in range(2):
        answer(story.system.use_cases)
        story.world.run_for(MINUTE)
    assert told(story, cluster_id, Reason.CORE_INTERRUPTED) == 1
    assert [r.decision.action for r in story.decisions(cluster_id, DecisionKind.INTERRUPTION)] == [Action.ALERT]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("name", ["notifier.notify", "decisions.put", "registry.put"])
def test_an_alert_is_told_although_the_invocation_dies(name: str, which: int) -> None:
    story, cluster_id = busy()
    answer = warn_core(story, cluster_id)
    try:
        fail_at(story, answer, name, which=which)
    except BaseException:
        if which == 0:
            raise
    answer(story.system.use_cases)
    assert told(story, cluster_id, Reason.CORE_INTERRUPTED) >= 1
    answer(story.system.use_cases)
    proven = 2 if name == "decisions.put" and which == 0 else 1
    assert told(story, cluster_id, Reason.CORE_INTERRUPTED) <= proven


def test_maintenance_is_told_once_for_each_cluster_though_the_invocation_dies_between_them() -> None:
    story, first = busy()
    second = story.start(cluster(core=2, tags=OPTED_IN))
    nodes = [n.ec2_id for c in (first, second) for n in story.world.inside(c).nodes() if n.ec2_id]
    fail_at(
        story,
        lambda cases: cases.handle_interruption.note_maintenance(nodes, trigger="event-1"),
        "notifier.notify",
        which=1,
    )
    for _ in range(2):
        story.system.use_cases.handle_interruption.note_maintenance(nodes, trigger="event-1")
    assert [told(story, c, Reason.MAINTENANCE_SCHEDULED) for c in (first, second)] == [1, 1]
    assert [
        len([r for r in story.decisions(c) if r.decision.reason is Reason.MAINTENANCE_SCHEDULED])
        for c in (first, second)
    ] == [1, 1]


def test_a_complaint_about_a_policy_that_could_not_be_sent_is_sent_by_the_next_look() -> None:
    story, cluster_id = busy()
    policies = MemoryPolicies(live(idle=NO_IDLE), parse=parse_policy)
    policies.get("default")
    policies.put_document("default", '{"task": {"max_nodes": -1}}')
    story.ports.policies = policies
    fail_at(story, scale(cluster_id), "notifier.notify")
    use_cases = UseCases(story.ports)
    for trigger in "ab":
        use_cases.scale_task_groups(cluster_id, trigger=trigger)
    assert told(story, cluster_id, Reason.POLICY_INVALID) == 1


def test_the_end_of_an_idle_cluster_is_announced_once_though_the_invocation_dies() -> None:
    story = Story(calm_world())
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    look = story.system.use_cases.reap_idle_clusters
    story.run(timedelta(minutes=30))
    while not story.ports.registry.get(cluster_id).idle.announced_at:
        before = story.ports.registry.get(cluster_id)
        story.run(MINUTE)
    # The same once more, with the registry as it was before: the invocation died before it remembered.
    (record,) = (r for r in story.decisions(cluster_id) if r.decision.action is Action.ANNOUNCE)
    current = story.ports.registry.get(cluster_id)
    story.ports.registry.put(replace(current, idle=before.idle))
    look([cluster_id], trigger=record.trigger)
    assert told(story, cluster_id, Reason.IDLE_ANNOUNCED) == 1
    assert story.ports.registry.get(cluster_id).idle.announced_at is not None
    assert story.actions(cluster_id, DecisionKind.IDLE) == [Action.ANNOUNCE]


def test_groups_that_were_created_are_told_although_telling_failed_at_first() -> None:
    task = TaskPolicy(max_nodes=8, instance_types=("m5.xlarge",))
    story = Story(calm_world(), live(task=task, idle=NO_IDLE))
    cluster_id = story.world.emr.run_job_flow(cluster(core=2, tags=OPTED_IN))
    story.world.run_for(15 * MINUTE)
    fail_at(story, lambda cases: cases.enroll_cluster(cluster_id), "notifier.notify")
    assert story.world.calls["AddInstanceGroups"] == 1
    for _ in range(2):
        story.system.use_cases.enroll_cluster(cluster_id)
    assert told(story, cluster_id, Reason.TASK_GROUPS_MISSING) == 1
    assert story.actions(cluster_id, DecisionKind.TASK) == [Action.ADD_GROUPS]
    assert story.world.calls["AddInstanceGroups"] == 1


def test_a_refusal_that_lasts_for_hours_is_told_once_in_each() -> None:
    story, cluster_id = busy()
    message = "Your account is currently running the maximum number of instances."
    story.world.refuse_resizes(cluster_id, until=story.world.now + timedelta(hours=3), message=message)
    scale(cluster_id)(story.system.use_cases)
    story.run(timedelta(hours=2, minutes=30))
    assert len([n for n in story.ports.notifier.sent if message in n.body]) == 3


def test_a_task_fleet_that_was_created_is_told_although_telling_failed_at_first() -> None:
    task = TaskPolicy(max_nodes=8, instance_types=("m5.xlarge",))
    story = Story(calm_world(), live(task=task, idle=NO_IDLE))
    cluster_id = story.world.emr.run_job_flow(fleet_cluster(None))
    story.world.run_for(15 * MINUTE)
    fail_at(story, lambda cases: cases.enroll_cluster(cluster_id), "notifier.notify")
    for _ in range(2):
        story.system.use_cases.enroll_cluster(cluster_id)
    assert told(story, cluster_id, Reason.TASK_GROUPS_MISSING) == 1
    assert story.world.calls["AddInstanceFleet"] == 1
