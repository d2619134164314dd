"""A count that somebody else ordered stands: what counts as such a change, and what is still done meanwhile."""

import random
from dataclasses import replace

from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.support.drawn_scenes import draw_task_evidence
from tests.support.scenes import NOW, minutes, on_demand_group, task_evidence, task_group

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.memory import LostInstance, TaskMemory
from emr_autoscaler.domain.operator_change import OperatorChange, standing_change, with_changes
from emr_autoscaler.domain.task_capacity import decide_task_capacity

HOLD = minutes(30)


def changed(minutes_ago: float = 5, **values: object) -> OperatorChange:
    given: dict[str, object] = {"group_id": "ig-A", "role": Role.TASK, "count": 4, "by": "anna"}
    return OperatorChange(at=NOW - minutes(minutes_ago), **(given | values))  # type: ignore[arg-type]


def lost(minutes_ago: float = 1, *, replaced: bool, group_id: str = "ig-A", name: str = "i-1") -> LostInstance:
    gone_by = NOW - minutes(minutes_ago)
    return LostInstance(ec2_instance_id=name, group_id=group_id, gone_by=gone_by, replaced=replaced)


def test_the_newest_change_of_a_role_stands_until_its_time_is_over() -> None:
    changes = (changed(29, by="anna"), changed(10, group_id="ig-B", by="bob"), changed(1, role=Role.CORE))
    assert standing_change(changes, Role.TASK, now=NOW, hold=HOLD) == changes[1]
    assert standing_change(changes[:1], Role.TASK, now=NOW + minutes(1), hold=HOLD) is None


def test_a_change_of_something_unknown_stands_for_every_role() -> None:
    fleet = changed(group_id="if-1", role=None)
    assert standing_change([fleet], Role.TASK, now=NOW, hold=HOLD) == fleet
    assert standing_change([fleet], Role.CORE, now=NOW, hold=HOLD) == fleet


def test_one_call_that_two_sources_tell_is_one_change_with_a_name() -> None:
    seen, named = changed(5, by=""), changed(6, by="anna")
    assert with_changes([seen], [named], now=NOW) == (named,)
    assert with_changes([named], [seen], now=NOW) == (named,)


def test_another_count_is_another_change_and_the_newer_one_stands() -> None:
    first, second = changed(9, by="anna"), changed(2, by="", count=7)
    assert with_changes([first], [second], now=NOW) == (second,)
    assert with_changes([second], [first], now=NOW) == (second,)


def test_changes_of_yesterday_are_forgotten() -> None:
    assert with_changes([changed(60 * 25)], [], now=NOW) == ()


def test_nothing_is_ordered_while_it_stands_whatever_the_bounds_say() -> None:
    evidence = task_evidence(task_group("ig-A", 30), max_nodes=10, operator_changes=(changed(),))
    decision = decide_task_capacity(evidence).decision
    assert (decision.action, decision.reason, decision.targets) == (Action.HOLD, Reason.OPERATOR_RESIZED, ())
    assert decision.next_evaluation_at == NOW + minutes(25)


def test_a_loss_that_was_replaced_lowers_its_group() -> None:
    groups = (task_group("ig-A", 4, running=3), task_group("ig-B", 1))
    memory = TaskMemory(lost=(lost(replaced=True),))
    evidence = task_evidence(*groups, operator_changes=(changed(),), memory=memory, groups_are_fresh=True)
    verdict = decide_task_capacity(evidence)
    assert [(t.group_id, t.count) for t in verdict.decision.targets] == [("ig-A", 3)]
    assert verdict.memory.lost == ()


def test_a_loss_that_was_not_replaced_moves_to_another_group() -> None:
    groups = (task_group("ig-A", 4, running=3), on_demand_group("ig-D", 0))
    memory = TaskMemory(lost=(lost(replaced=False),))
    evidence = task_evidence(*groups, operator_changes=(changed(),), memory=memory, groups_are_fresh=True)
    targets = {t.group_id: t.count for t in decide_task_capacity(evidence).decision.targets}
    assert targets == {"ig-A": 3, "ig-D": 1}


def test_a_loss_that_can_go_nowhere_else_is_left_to_emr() -> None:
    memory = TaskMemory(lost=(lost(replaced=False),))
    evidence = task_evidence(
        task_group("ig-A", 4, running=3), operator_changes=(changed(),), memory=memory, groups_are_fresh=True
    )
    assert decide_task_capacity(evidence).decision.targets == ()


def test_an_instance_that_emr_has_already_replaced_is_not_taken_off_again() -> None:
    memory = TaskMemory(lost=(lost(replaced=True),))
    evidence = task_evidence(
        task_group("ig-A", 4), operator_changes=(changed(),), memory=memory, groups_are_fresh=True
    )
    assert decide_task_capacity(evidence).decision.targets == ()


@settings(max_examples=60)
@given(first=st.integers(0, 2**40))
def test_a_hold_never_passes_what_was_ordered_and_can_be_replayed(first: int) -> None:
    for number in range(first, first + 20):
        note(f"scene {number}")
        chance = random.Random(number)
        drawn = draw_task_evidence(number)
        losses = tuple(replace(entry, replaced=chance.random() < 0.5) for entry in drawn.memory.lost)
        evidence = replace(
            drawn,
            memory=replace(drawn.memory, lost=losses),
            operator_changes=(changed(chance.randint(0, 29), group_id=chance.choice(("ig-A", "ig-B", ""))),),
        )
        verdict = decide_task_capacity(evidence)
        decision = verdict.decision
        assert sum(t.count - t.previous_count for t in decision.targets) <= 0
        assert decision.next_evaluation_at is None or decision.next_evaluation_at > NOW
        lowered = [t for t in decision.targets if t.count < t.previous_count]
        assert {t.group_id for t in lowered} <= {entry.group_id for entry in losses if entry.gone_by <= NOW}
        replayed = load_evidence(DecisionKind.TASK, dump_evidence(DecisionKind.TASK, evidence))
        assert decide_task_capacity(replayed) == verdict  # type: ignore[arg-type]
