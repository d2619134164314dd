"""The two sides of a fleet: on demand in place of spot that does not come, and the way back; by example."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.fleet_evidence import SPOT, at_rest, evidence, fleet, priced, units
from tests.support.scenes import NOW, cooling, decide, minutes, yarn

from emr_autoscaler.domain.cluster import GroupState
from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.memory import TaskMemory
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence


def test_spot_that_a_cooling_fleet_does_not_get_is_bought_on_demand_under_the_maximum() -> None:
    short = fleet(spot=16, there=(0, 2), state=GroupState.RESIZING)
    memory = TaskMemory(unfulfilled_since={SPOT: NOW - minutes(6)})
    decision = decide(evidence(short, memory=memory, pools={SPOT: cooling(SPOT)}))
    assert units(decision) == (14, 2)


def test_units_bought_on_demand_in_place_of_spot_survive_the_lowered_spot_target() -> None:
    covered = fleet(spot=6, there=(6, 0))
    memory = TaskMemory(unfulfilled_since={SPOT: NOW - minutes(6)})
    in_use = yarn(allocated_mib=8 * 12288, containers=48)
    seen = evidence(covered, in_use, memory=memory, pools={SPOT: cooling(SPOT)}, expected_task_seconds=1)
    assert units(decide(seen)) == (6, 0)


def test_spot_is_tried_again_after_half_an_hour_and_the_new_units_come_first() -> None:
    decision = decide(at_rest(fleet(6, 2), since=minutes(31)))
    assert (decision.action, decision.reason) == (Action.REBALANCE, Reason.BACK_TO_SPOT)
    assert units(decision) == (6, 8)


def test_without_room_one_instance_is_given_up_for_the_first_on_spot() -> None:
    assert units(decide(at_rest(fleet(8, 8), since=minutes(31)))) == (7, 9)
    larger = fleet(8, 8, types={"m5.xlarge": 1, "m5.2xlarge": 2})
    assert units(decide(at_rest(larger, since=minutes(31)))) == (6, 10)


def test_the_on_demand_floor_never_goes_back_to_spot() -> None:
    assert units(decide(at_rest(fleet(6, 2), since=minutes(31), on_demand_min_nodes=4))) == (6, 4)
    assert decide(at_rest(fleet(6, 2), since=minutes(31), on_demand_min_nodes=6)).targets == ()


@pytest.mark.parametrize(
    "seen",
    [
        at_rest(fleet(6, 2), since=minutes(29)),
        at_rest(fleet(6, 2), since=minutes(31), pools={SPOT: cooling(SPOT)}),
        at_rest(fleet(6, 2, there=(6, 1), state=GroupState.RESIZING), since=minutes(31)),
    ],
    ids=["too soon", "cooling", "resizing"],
)
def test_on_demand_units_stay_while_spot_may_not_be_trusted(seen: TaskEvidence) -> None:
    assert decide(seen).targets == ()


def test_the_next_look_is_not_later_than_spot_may_be_tried_again() -> None:
    verdict = decide_task_capacity(at_rest(fleet(6, 2), since=minutes(10)))
    assert verdict.decision.next_evaluation_at is not None
    assert verdict.decision.next_evaluation_at <= NOW + minutes(20)
    assert verdict.memory.next_evaluation_at == verdict.decision.next_evaluation_at


def test_a_fresh_fallback_counts_its_half_hour_anew() -> None:
    short = fleet(spot=16, there=(0, 2), state=GroupState.RESIZING)
    memory = TaskMemory(unfulfilled_since={SPOT: NOW - minutes(6)}, on_demand_since=NOW - minutes(50))
    verdict = decide_task_capacity(evidence(short, memory=memory, pools={SPOT: cooling(SPOT)}))
    assert verdict.memory.on_demand_since == NOW


def test_on_demand_stays_where_spot_saves_too_little() -> None:
    standing = at_rest(fleet(6, 2), since=minutes(31))
    assert decide(replace(standing, prices=priced("0.19", "0.20"))).targets == ()
    assert units(decide(replace(standing, prices=priced("0.10", "0.20")))) == (6, 8)


def test_the_share_of_the_policy_never_goes_back_to_spot() -> None:
    assert decide(at_rest(fleet(4, 4), since=minutes(31), spot_share=0.5)).targets == ()


def test_units_that_come_back_to_spot_keep_to_the_cap() -> None:
    standing = at_rest(fleet(6, 2), since=minutes(31), max_usd_per_hour=Decimal("1.60"))
    assert units(decide(replace(standing, prices=priced("0.10", "0.20")))) == (6, 4)


def test_in_a_storm_no_spot_units_are_ordered() -> None:
    stormy = TaskMemory(storm_until=NOW + minutes(5))
    assert units(decide(evidence(fleet(spot=2), memory=stormy)))[1] == 2
