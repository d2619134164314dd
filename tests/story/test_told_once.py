"""What is delivered twice is told once where the record proves that it was told, and never not at all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.faults import Fault, FaultyPorts
from tests.support.fleet_scenes import cluster as fleet_cluster
from tests.support.stories import OPTED_IN, Story, full_disks, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases, routes
from emr_autoscaler.domain.cluster import GroupState, Role
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.policy import IdlePolicy, Mode, TaskPolicy
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.messages.evaluations import EvaluationRequest
from emr_autoscaler.messages.events import PROBE, read_event
from emr_autoscaler.messages.policy import parse_policy
from emr_autoscaler.usecases.follow_groups import Resize
from emr_simulator.inprocess.policies import MemoryPolicies

NO_IDLE = IdlePolicy(enabled=False)
MINUTE = timedelta(minutes=1)

Invoke = Callable[[UseCases], object]


def busy(mode: Mode = Mode.LIVE, **world: Any) -> tuple[Story, str]:
    """A cluster whose next look wants more nodes; nobody has looked yet."""
    story = Story(calm_world(**world), live(idle=NO_IDLE))
    cluster_id = story.start(cluster(core=2, spot=1, tags=OPTED_IN))
    story.run(30 * MINUTE)
    story.policies.put(live(idle=NO_IDLE, mode=mode))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.world.run_for(7 * MINUTE)
    story.world.take_events()
    return story, cluster_id


def told(story: Story, cluster_id: str, *reasons: Reason) -> int:
    sent = [n.attributes for n in story.ports.notifier.sent if n.attributes.get("cluster_id") == cluster_id]
    return sum(not reasons or attributes["reason"] in reasons for attributes in sent)


def fail_at(story: Story, invoke: Invoke, name: str, *, after_effect: bool = False, which: int = 0) -> None:
    """Invoke once, failing one of the calls of a name; nothing happens where it is not called."""
    fault = Fault()
    use_cases = UseCases(FaultyPorts(story.ports, fault))
    run = fault.run
    seen = 0

    def counting(called: str, *rest: Any) -> Any:
        nonlocal seen
        if called == name:
            if seen == which:
                fault.armed_at, fault.after_effect = len(fault.calls) + 1, after_effect
            seen += 1
        return run(called, *rest)

    fault.run = counting  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        invoke(use_cases)


def scale(cluster_id: str) -> Invoke:
    return lambda use_cases: use_cases.scale_task_groups(cluster_id, trigger="message-1")


@pytest.mark.parametrize("mode", Mode)
def test_an_order_whose_message_comes_twice_is_told_once(mode: Mode) -> None:
    story, cluster_id = busy(mode)
    before = told(story, cluster_id)
    for _ in range(3):
        scale(cluster_id)(story.system.use_cases)
        story.world.run_for(MINUTE)
    assert told(story, cluster_id) - before == 1
    (order,) = (r for r in story.decisions(cluster_id) if r.trigger == "message-1")
    assert order.told_as


def test_a_core_order_whose_message_comes_twice_is_told_once() -> None:
    story, cluster_id = full_disks()
    before = told(story, cluster_id)
    for _ in range(2):
        story.system.use_cases.resize_core_group(cluster_id, trigger="message-1")
    assert told(story, cluster_id) - before == 1


def test_an_order_that_could_not_be_told_is_told_by_the_next_delivery_and_no_later_one() -> None:
    story, cluster_id = busy()
    before = told(story, cluster_id)
    fail_at(story, scale(cluster_id), "notifier.notify")
    (order,) = (r for r in story.decisions(cluster_id) if r.trigger == "message-1")
    assert (order.outcome, order.told_as) == (Outcome.DONE, "")
    assert told(story, cluster_id) == before
    for _ in range(2):
        story.world.run_for(MINUTE)
        scale(cluster_id)(story.system.use_cases)
    assert told(story, cluster_id) - before == 1


def test_an_order_of_which_nobody_knows_whether_it_was_told_is_told_again_once() -> None:
    story, cluster_id = busy()
    before = told(story, cluster_id)
    fail_at(story, scale(cluster_id), "notifier.notify", after_effect=True)
    for _ in range(2):
        story.world.run_for(MINUTE)
        scale(cluster_id)(story.system.use_cases)
    assert told(story, cluster_id) - before == 2


def test_an_order_is_recorded_with_two_writes_as_before() -> None:
    story, cluster_id = busy()
    fault = Fault()
    scale(cluster_id)(UseCases(FaultyPorts(story.ports, fault)))
    assert fault.calls.count("decisions.put") == 2
    fault.calls.clear()
    scale(cluster_id)(UseCases(FaultyPorts(story.ports, fault)))
    assert not fault.calls.count("decisions.put")
    assert not [name for name in fault.calls if name.startswith(("reader.", "actuator.", "notifier."))]


def test_a_rehearsed_order_that_stands_is_told_by_the_notification_of_the_first() -> None:
    story, cluster_id = busy(Mode.DRY_RUN)
    first = story.system.use_cases.scale_task_groups(cluster_id, trigger="message-1")
    story.world.run_for(2 * MINUTE)
    second = story.system.use_cases.scale_task_groups(cluster_id, trigger="message-2")
    assert (second.outcome, second.told_as) == (Outcome.DRY_RUN, first.told_as)


def test_a_message_that_comes_again_says_so_and_one_that_finishes_a_dead_one_does_not() -> None:
    story, cluster_id = busy()
    request = EvaluationRequest.model_validate(
        {"cluster_id": cluster_id, "kind": "TASK", "requested_at": story.world.now, "cause": "due"}
    )
    fail_at(story, lambda cases: routes.evaluate_task_groups(request, cases, "message-1"), "notifier.notify")
    reports = [routes.evaluate_task_groups(request, story.system.use_cases, "message-1") for _ in range(3)]
    assert [report.get("repeated", False) for report in reports] == [False, True, True]
    assert {report["reason"] for report in reports} == {Reason.DEMAND_ABOVE_CAPACITY}


def test_a_snapshot_that_comes_again_says_so() -> None:
    story, cluster_id = busy(probe_period_seconds=10)
    story.world.run_for(timedelta(seconds=25))
    event = read_event([e for e in story.world.take_events() if e["source"] == PROBE][-1])
    assert event is not None
    reports = [routes.scale_task_groups(event, story.system.use_cases, event.id) for _ in range(3)]
    assert [report["snapshot"] for report in reports] == ["ACTED"] * 3
    assert [report.get("repeated", False) for report in reports] == [False, True, True]
    assert told(story, cluster_id, Reason.DEMAND_ABOVE_CAPACITY) == 1


def test_a_snapshot_that_was_held_and_comes_again_says_so() -> None:
    story = Story(calm_world(probe_period_seconds=10), live(idle=NO_IDLE))
    story.start(cluster(core=2, tags=OPTED_IN))
    story.world.run_for(timedelta(seconds=70))
    event = read_event([e for e in story.world.take_events() if e["source"] == PROBE][-1])
    assert event is not None
    reports = [routes.scale_task_groups(event, story.system.use_cases, event.id) for _ in range(2)]
    assert [report["snapshot"] for report in reports] == ["HELD", "OVERTAKEN"]
    assert [report.get("repeated", False) for report in reports] == [False, True]


# --------------------------------------------------------------------------- what needs no order


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


# --------------------------------------------------------------------------- what happens to groups


def resized_by_hand(story: Story, cluster_id: str) -> Invoke:
    spot = next(g for g in story.ports.registry.get(cluster_id).groups if g.role is Role.TASK)
    at, resize = story.world.now, Resize(group_id=spot.group_id, count=spot.requested_count + 3)
    return lambda cases: cases.follow_groups.note_resizes(cluster_id, [resize], by="anna", at=at)


def suspended(story: Story, cluster_id: str) -> Invoke:
    spot = next(g for g in story.ports.registry.get(cluster_id).groups if g.role is Role.TASK)
    stopped, at = replace(spot, state=GroupState.SUSPENDED), story.world.now
    return lambda cases: cases.follow_groups.note_group(cluster_id, stopped, at=at)


GROUP_NEWS = {Reason.OPERATOR_RESIZED: resized_by_hand, Reason.GROUP_SUSPENDED: suspended}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((name, reason) for name in ("notifier.notify", "registry.put") for reason in GROUP_NEWS),
        ("queue.request", Reason.OPERATOR_RESIZED),  # a stopped group is looked at once it runs again
    ],
)
def test_news_of_a_group_that_could_not_be_told_are_told_when_the_event_comes_again(
    name: str, reason: Reason
) -> None:
    story, cluster_id = busy()
    note = GROUP_NEWS[reason](story, cluster_id)
    fail_at(story, note, name)
    assert told(story, cluster_id, reason) == 0
    for _ in range(3):
        story.world.run_for(MINUTE)
        note(story.system.use_cases)
    assert told(story, cluster_id, reason) == 1
    assert not story.ports.registry.get(cluster_id).untold


def test_news_of_a_group_whose_event_never_comes_again_are_told_by_the_sweep() -> None:
    story, cluster_id = busy()
    fail_at(story, resized_by_hand(story, cluster_id), "notifier.notify")
    story.world.run_for(MINUTE)
    story.system.use_cases.sweep_fleet(full=True)
    assert told(story, cluster_id, Reason.OPERATOR_RESIZED) == 1


@pytest.mark.parametrize("reason", GROUP_NEWS)
def test_news_of_a_group_that_are_delivered_twice_are_told_once(reason: Reason) -> None:
    story, cluster_id = busy()
    note = GROUP_NEWS[reason](story, cluster_id)
    for _ in range(2):
        note(story.system.use_cases)
    assert told(story, cluster_id, reason) == 1


def test_news_that_another_invocation_is_telling_just_now_are_left_to_it() -> None:
    story, cluster_id = busy()
    note = resized_by_hand(story, cluster_id)
    fail_at(story, note, "notifier.notify")
    story.world.run_for(timedelta(seconds=5))
    note(story.system.use_cases)
    assert told(story, cluster_id, Reason.OPERATOR_RESIZED) == 0
