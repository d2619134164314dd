"""An order that is delivered twice is told once where the record proves that it was told, and never not at all."""

from datetime import timedelta

import pytest
from tests.support.faults import Fault, FaultyPorts
from tests.support.stories import OPTED_IN, Story, full_disks, live
from tests.support.telling import MINUTE, NO_IDLE, busy, fail_at, scale, told
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases, routes
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.policy import Mode
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.messages.evaluations import EvaluationRequest
from emr_autoscaler.messages.events import PROBE, read_event


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
