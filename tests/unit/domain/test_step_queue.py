"""Which steps wait, from events that are late, lost and out of order."""

from datetime import timedelta

from tests.support.scenes import NOW, minutes, task_evidence, task_group

from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.step_queue import FORGOTTEN_AFTER, StepQueue, StepState, note_step
from emr_autoscaler.domain.task_capacity import decide_task_capacity


def queue(*events: tuple[str, StepState, float]) -> StepQueue:
    told = StepQueue()
    for step_id, state, minutes_ago in events:
        told = note_step(told, step_id, state, NOW - minutes(minutes_ago))
    return told


def test_nodes_are_kept_between_two_steps() -> None:
    told = queue(("s-1", StepState.RUNNING, 60), ("s-2", StepState.PENDING, 50), ("s-1", StepState.COMPLETED, 2))
    assert told.held_until(NOW) == NOW + minutes(8)


def test_a_step_that_has_just_begun_keeps_nodes_until_its_work_shows() -> None:
    told = queue(("s-1", StepState.PENDING, 1), ("s-1", StepState.RUNNING, 1))
    assert told.held_until(NOW) == NOW + minutes(2)
    assert told.held_until(NOW + minutes(2)) is None


def test_a_step_behind_a_long_one_keeps_nothing_meanwhile() -> None:
    assert queue(("s-1", StepState.RUNNING, 60), ("s-2", StepState.PENDING, 50)).held_until(NOW) is None


def test_a_last_step_that_ended_keeps_nothing() -> None:
    assert queue(("s-1", StepState.RUNNING, 60), ("s-1", StepState.FAILED, 1)).held_until(NOW) is None


def test_an_event_that_was_overtaken_does_not_queue_a_step_again() -> None:
    told = queue(("s-1", StepState.RUNNING, 5), ("s-1", StepState.COMPLETED, 4), ("s-1", StepState.PENDING, 6))
    assert not told.waiting


def test_a_step_whose_end_was_never_told_is_forgotten() -> None:
    told = note_step(StepQueue(), "s-1", StepState.PENDING, NOW - FORGOTTEN_AFTER - timedelta(seconds=1))
    told = note_step(told, "s-0", StepState.COMPLETED, NOW)
    assert told.held_until(NOW) is None


def test_a_surplus_is_held_while_a_step_is_expected_and_looked_at_again_then() -> None:
    told = queue(("s-2", StepState.PENDING, 50), ("s-1", StepState.COMPLETED, 2))
    decision = decide_task_capacity(task_evidence(task_group(count=6), steps=told)).decision
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.STEP_EXPECTED)
    assert decision.next_evaluation_at is not None
    assert decision.next_evaluation_at <= NOW + minutes(8)


def test_the_maximum_does_not_wait_for_a_step() -> None:
    told = queue(("s-2", StepState.PENDING, 50), ("s-1", StepState.COMPLETED, 2))
    evidence = task_evidence(task_group(count=12), steps=told, max_nodes=10)
    assert decide_task_capacity(evidence).decision.reason is Reason.ABOVE_MAXIMUM
