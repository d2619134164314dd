"""Instance fleets: the task decision in units, whole instances, on-demand fallback and the way back to spot."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.support.drawn_scenes import draw_any_metrics, draw_good_metrics, draw_task_memory, draw_task_policy
from tests.support.scenes import CLUSTER, NOW, cooling, minutes, yarn

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import ClusterState, GroupState, Market, Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.fleet_steps import side_id, sides_of, step_price, unit_mib
from emr_autoscaler.domain.fleets import FleetTarget, FleetType, InstanceFleet
from emr_autoscaler.domain.memory import TaskMemory, WantedCapacity
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.node_prices import MarketPrices, NodePrice
from emr_autoscaler.domain.policy import CapacityUnit, TaskPolicy
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

TASK = "if-task"
SPOT, ON_DEMAND = side_id(TASK, Market.SPOT), side_id(TASK, Market.ON_DEMAND)
BUSY = yarn(allocated_mib=600_000, containers=300, pending=5000)
"""Wants far more than any of these fleets may have."""

CALM = yarn(allocated_mib=0)


def fleet(
    on_demand: int = 0,
    spot: int = 0,
    *,
    there: tuple[int, int] | None = None,
    types: Mapping[str, int] | None = None,
    **changes: Any,
) -> InstanceFleet:
    """A task fleet of m5.xlarge with one unit each; ``there`` are the units provisioned."""
    provisioned = (on_demand, spot) if there is None else there
    values: dict[str, Any] = {
        "fleet_id": TASK,
        "role": Role.TASK,
        "state": GroupState.RUNNING,
        "target_on_demand_units": on_demand,
        "target_spot_units": spot,
        "provisioned_on_demand_units": provisioned[0],
        "provisioned_spot_units": provisioned[1],
        "types": tuple(FleetType(instance_type=t, units=u) for t, u in (types or {"m5.xlarge": 1}).items()),
    }
    return InstanceFleet(**values | changes)


def core_fleet(units: int = 2) -> InstanceFleet:
    return fleet(units, fleet_id="if-core", role=Role.CORE)


def evidence(task: InstanceFleet | None, metrics: ClusterMetrics = BUSY, **changes: Any) -> TaskEvidence:
    policy = {name: changes.pop(name) for name in tuple(changes) if name in TaskPolicy.__dataclass_fields__}
    values: dict[str, Any] = {
        "now": NOW,
        "cluster_id": CLUSTER,
        "state": ClusterState.RUNNING,
        "uses_fleets": True,
        "groups": (),
        "fleets": (core_fleet(), *([task] if task else [])),
        "metrics": metrics,
        "policy": TaskPolicy(**{"max_nodes": 16, "expected_task_seconds": 600, **policy}),
    }
    return TaskEvidence(**values | changes)


def decide(seen: TaskEvidence) -> Decision:
    return decide_task_capacity(seen).decision


def units(decision: Decision) -> tuple[int, int] | None:
    """What is ordered: on-demand and spot units."""
    (target,) = decision.targets or (None,)
    assert target is None or isinstance(target, FleetTarget)
    return None if target is None else (target.on_demand_units, target.spot_units)


def test_demand_is_ordered_in_spot_units_up_to_the_maximum() -> None:
    decision = decide(evidence(fleet(spot=2)))
    assert (decision.action, decision.reason) == (Action.SCALE_OUT, Reason.DEMAND_ABOVE_CAPACITY)
    assert units(decision) == (0, 16)
    assert TASK in decision.detail


def test_no_demand_gives_every_unit_back() -> None:
    decision = decide(evidence(fleet(spot=6), CALM))
    assert (decision.action, units(decision)) == (Action.SCALE_IN, (0, 0))


def test_the_on_demand_floor_is_filled_first_and_kept_last() -> None:
    assert units(decide(evidence(fleet(), on_demand_min_nodes=3))) == (3, 13)
    assert units(decide(evidence(fleet(3, 13), CALM, on_demand_min_nodes=3, min_nodes=3))) == (3, 0)


@pytest.mark.parametrize("weight", [2, 4])
def test_bounds_are_units_and_orders_are_whole_instances(weight: int) -> None:
    task = fleet(types={"m5.xlarge": weight})
    assert units(decide(evidence(task, max_nodes=15))) == (0, 15 // weight * weight)
    assert units(decide(evidence(task, CALM, min_nodes=5))) == (0, -(-5 // weight) * weight)


def test_units_of_types_of_different_size_count_as_the_least_memory_they_may_bring() -> None:
    mixed = fleet(types={"m5.xlarge": 1, "r5.xlarge": 1, "m5.4xlarge": 4})
    assert unit_mib(mixed, learned=None) == 12288
    assert unit_mib(fleet(types={"x9.odd": 1, "r5.xlarge": 2}), learned=None) == 12288


def test_memory_of_unknown_types_is_learned_where_all_count_the_same() -> None:
    assert unit_mib(fleet(types={"x9.odd": 2}), learned=8000.0) == 4000.0
    assert unit_mib(fleet(types={"x9.odd": 2, "y9.odd": 3}), learned=8000.0) is None
    assert unit_mib(fleet(types={"x9.odd": 2}), learned=None) is None
    assert decide(evidence(fleet(types={"x9.odd": 1}))).reason is Reason.NO_CAPACITY_KNOWN


def test_units_a_settled_fleet_has_above_its_target_count_as_there() -> None:
    more = fleet(spot=5, there=(0, 8), types={"m5.xlarge": 1, "m5.4xlarge": 4})
    assert [side.requested_count for side in sides_of(more, learned=None)] == [8, 0]
    settled = evidence(more, yarn(allocated_mib=8 * 12288 + 24576, containers=60), expected_task_seconds=1)
    assert decide(settled).targets == ()


def test_a_surplus_smaller_than_an_instance_is_held_and_starts_no_cooldown() -> None:
    more = fleet(spot=5, there=(0, 8), types={"m5.xlarge": 1, "m5.4xlarge": 4})
    verdict = decide_task_capacity(evidence(more, CALM, min_nodes=6))
    assert (verdict.decision.action, verdict.decision.reason) == (Action.HOLD, Reason.WHOLE_INSTANCES)
    assert verdict.decision.targets == ()
    assert verdict.memory.last_scale_in_at is None


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


def at_rest(task: InstanceFleet, *, since: timedelta, **changes: Any) -> TaskEvidence:
    """A fleet whose units are all in use and that wants no more."""
    wanted = task.target_units * 12288
    return evidence(
        task,
        yarn(allocated_mib=wanted + 24576, containers=100),
        memory=TaskMemory(on_demand_since=NOW - since, wanted=(WantedCapacity(at=NOW - minutes(5), mib=wanted),)),
        expected_task_seconds=1,
        **changes,
    )


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


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_paused": True}, Reason.PAUSED),
        ({"has_managed_scaling": True}, Reason.MANAGED_ELSEWHERE),
        ({"fleets": ()}, Reason.USES_FLEETS),
        ({"fleets": (core_fleet(),)}, Reason.GROUPS_UNAVAILABLE),
        ({"fleets": (core_fleet(), fleet(spot=2, state=GroupState.SUSPENDED))}, Reason.GROUPS_UNAVAILABLE),
        ({"metrics": ClusterMetrics(cluster_id=CLUSTER)}, Reason.METRICS_STALE),
    ],
    ids=["paused", "managed", "not listed yet", "no task fleet", "suspended", "no metrics"],
)
def test_what_guards_groups_guards_fleets(change: Mapping[str, Any], reason: Reason) -> None:
    decision = decide(replace(evidence(fleet(spot=2)), **change))
    assert (decision.action, decision.reason, decision.targets) == (Action.HOLD, reason, ())


def test_an_old_record_of_a_cluster_with_fleets_is_decided_as_it_was() -> None:
    stored = dump_evidence(DecisionKind.TASK, evidence(None, fleets=()))
    del stored["fleets"]
    del stored["memory"]["on_demand_since"]
    loaded = load_evidence(DecisionKind.TASK, stored)
    assert isinstance(loaded, TaskEvidence)
    assert decide(loaded).reason is Reason.USES_FLEETS


# --------------------------------------------------------------------------- money


def priced(spot: str, on_demand: str) -> MarketPrices:
    """What a step costs on each side."""
    usd = {SPOT: Decimal(spot), ON_DEMAND: Decimal(on_demand)}
    return MarketPrices(
        by_group={side: NodePrice(ec2_usd=price, emr_usd=Decimal(0)) for side, price in usd.items()},
        confirmed_at=NOW,
    )


def test_a_cap_in_money_bounds_the_units_ordered() -> None:
    seen = evidence(fleet(spot=0), max_usd_per_hour=Decimal("0.50"))
    assert units(decide(replace(seen, prices=priced("0.10", "0.20")))) == (0, 5)


def test_the_cap_holds_even_where_emr_buys_the_largest_instance_for_the_last_unit() -> None:
    mixed = {"m5.xlarge": 1, "m5.4xlarge": 4}
    capped = evidence(fleet(types=mixed), max_usd_per_hour=Decimal("0.80"), prices=priced("0.10", "0.20"))
    assert units(decide(capped)) == (0, 5)
    standing = replace(capped, fleets=(core_fleet(), fleet(spot=5, there=(0, 7), types=mixed)))
    decision = decide(standing)
    assert (decision.action, decision.reason, decision.targets) == (Action.HOLD, Reason.AT_MONEY_CAP, ())


def test_under_a_cap_the_floor_on_demand_is_bought_before_spot() -> None:
    mixed = {"m5.xlarge": 1, "m5.2xlarge": 2}
    capped = evidence(fleet(types=mixed), max_usd_per_hour=Decimal("1.00"), on_demand_min_nodes=3)
    # Three on demand and the fourth EMR may add are 0.80, which leaves 0.20 for one on spot and one beyond.
    assert units(decide(replace(capped, prices=priced("0.10", "0.20")))) == (3, 1)


def test_under_a_cap_nothing_is_ordered_while_prices_are_not_known() -> None:
    decision = decide(evidence(fleet(spot=0), max_usd_per_hour=Decimal("0.50")))
    assert (decision.reason, decision.targets) == (Reason.PRICES_MISSING, ())


def test_a_unit_costs_what_the_dearest_type_costs_for_it() -> None:
    mixed = fleet(types={"m5.xlarge": 1, "m5.2xlarge": 2})
    of_types = [NodePrice(ec2_usd=Decimal(usd), emr_usd=Decimal("0.02")) for usd in ("0.10", "0.30")]
    price = step_price(mixed, of_types)
    assert price is not None
    assert price.usd_per_hour == Decimal("0.16")
    assert step_price(mixed, [of_types[0], None]) is None


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


def test_a_unit_of_the_bounds_is_a_unit_of_the_fleet() -> None:
    steps_of_four = fleet(spot=0, types={"m5.xlarge": 4})
    bounded = evidence(steps_of_four, unit=CapacityUnit.UNITS, max_units=8)
    assert units(decide(bounded)) == (0, 8)


# --------------------------------------------------------------------------- whatever the fleet

WEIGHTS = ({"m5.xlarge": 1}, {"m5.xlarge": 1, "m5.2xlarge": 2}, {"m5.xlarge": 4, "r5.xlarge": 8}, {"m5.xlarge": 3})


def draw(number: int, *, dark: bool = False) -> TaskEvidence:
    chance = random.Random(number)
    types = chance.choice(WEIGHTS)
    step = fleet(types=types).step_units
    asked = tuple(chance.choice((0, chance.randint(0, 12))) * step for _ in range(2))
    there = tuple(chance.choice((units, units, chance.randint(0, 12) * step)) for units in asked)
    state = chance.choice((GroupState.RUNNING,) * 4 + (GroupState.RESIZING,) * 3 + (GroupState.SUSPENDED,))
    policy = draw_task_policy(chance)
    sides = (SPOT, ON_DEMAND)
    memory = replace(
        draw_task_memory(chance),
        unfulfilled_since={chance.choice(sides): NOW - minutes(chance.randint(0, 40))},
        lost=(),
        on_demand_since=chance.choice((None, NOW - minutes(chance.randint(0, 90)))),
    )
    return evidence(
        fleet(*asked, there=(there[0], there[1]), types=types, state=state),
        (draw_any_metrics if dark else draw_good_metrics)(chance),
        policy=policy,
        memory=memory,
        pools={SPOT: cooling(SPOT)} if chance.random() < 0.3 else {},
    )


def orders(seen: TaskEvidence) -> FleetTarget | None:
    (target,) = decide(seen).targets or (None,)
    assert target is None or isinstance(target, FleetTarget)
    return target


scenes = given(st.integers(0, 2**40))
few = settings(max_examples=20)


@few
@scenes
def test_no_order_passes_the_maximum_in_units_unless_it_stood_there(first: int) -> None:
    for number in range(first, first + 25):
        note(f"scene {number}")
        seen = draw(number)
        order, task = orders(seen), seen.fleets[1]
        if order is not None:
            there = max(task.target_on_demand_units, task.provisioned_on_demand_units)
            there += max(task.target_spot_units, task.provisioned_spot_units)
            assert order.count <= max(seen.policy.max_nodes, there)
            assert order.on_demand_units % task.step_units == order.spot_units % task.step_units == 0


@few
@scenes
def test_without_believable_metrics_no_unit_is_given_back(first: int) -> None:
    for number in range(first, first + 25):
        note(f"scene {number}")
        seen = draw(number, dark=True)
        decision = decide(seen)
        if decision.reason in {Reason.METRICS_STALE, Reason.METRICS_ABSURD}:
            assert decision.targets == ()


@few
@scenes
def test_a_fleet_decision_is_the_same_from_its_stored_evidence(first: int) -> None:
    for number in range(first, first + 10):
        note(f"scene {number}")
        seen = draw(number)
        again = load_evidence(DecisionKind.TASK, dump_evidence(DecisionKind.TASK, seen))
        assert isinstance(again, TaskEvidence)
        assert decide_task_capacity(again) == decide_task_capacity(seen)


@few
@scenes
def test_an_action_has_an_order_and_an_order_is_an_action(first: int) -> None:
    for number in range(first, first + 25):
        note(f"scene {number}")
        decision = decide(draw(number))
        assert (decision.action is Action.HOLD) == (decision.targets == ())
        assert decision.next_evaluation_at is None or decision.next_evaluation_at > NOW


@few
@scenes
def test_more_waiting_work_never_gives_fewer_units(first: int) -> None:
    for number in range(first, first + 25):
        note(f"scene {number}")
        seen = draw(number)
        points = dict(seen.metrics.series)
        name = next(n for n in points if n.name == "CONTAINER_PENDING")
        points[name] = tuple(replace(p, value=p.value + 1000) for p in points[name])
        busier = replace(seen, metrics=replace(seen.metrics, series=points))

        def standing(which: TaskEvidence) -> int:
            order, task = orders(which), which.fleets[1]
            sides = sum(side.requested_count for side in sides_of(task, learned=None)) * task.step_units
            return sides if order is None else order.count

        # The way back to spot orders beside what stands, and only while nothing is wanted: that is no growth.
        # Spot that never came is given up once it is wanted elsewhere: that is no loss.
        if decide(seen).reason is Reason.BACK_TO_SPOT or decide(busier).reason is Reason.POOL_DRY:
            continue
        assert standing(busier) >= min(standing(seen), seen.policy.max_nodes - seen.fleets[1].step_units)


@few
@scenes
def test_whatever_emr_buys_for_an_order_keeps_to_the_cap_unless_it_stood_above(first: int) -> None:
    for number in range(first, first + 20):
        cap = Decimal(random.Random(number).randint(0, 60)) / 10
        seen = draw(number)
        seen = replace(seen, prices=priced("0.10", "0.20"), policy=replace(seen.policy, max_usd_per_hour=cap))
        order, task = orders(seen), seen.fleets[-1]
        if order is None:
            continue
        asked = {Market.SPOT: order.spot_units, Market.ON_DEMAND: order.on_demand_units}
        over = task.largest_units - task.step_units
        usd = {
            market: Decimal(price) / task.step_units for market, price in zip(asked, ("0.10", "0.20"), strict=True)
        }
        there = sum(usd[market] * max(task.provisioned_of(market), task.target_of(market)) for market in asked)
        worst = sum(
            usd[m] * (count + over if count > task.provisioned_of(m) else max(count, task.provisioned_of(m)))
            for m, count in asked.items()
            if count > task.target_of(m) or task.provisioned_of(m)
        )
        grows = any(count > task.target_of(market) for market, count in asked.items())
        note(f"{number}: {order}")
        assert not grows or worst <= max(cap, there)
