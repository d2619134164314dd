"""What holds of every task decision on a fleet, whatever its units, metrics, policy and memory."""

import random
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.support.drawn_scenes import draw_any_metrics, draw_good_metrics, draw_task_memory, draw_task_policy
from tests.support.fleet_evidence import ON_DEMAND, SPOT, evidence, fleet, priced
from tests.support.scenes import NOW, cooling, decide, minutes

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import GroupState, Market
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.fleet_steps import sides_of
from emr_autoscaler.domain.fleets import FleetTarget
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

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
        if decide(seen).reason is Reason.BACK_TO_SPOT or decide(busier).reason is Reason.POOL_DRY:
            continue
        # Spot that never came is given up once it is ordered on demand, a step at a time: that is no loss.
        order, task = orders(busier), seen.fleets[1]
        moved = order is not None and order.on_demand_units > order.previous_on_demand_units
        never_came = max(0, task.target_spot_units - task.provisioned_spot_units) if moved else 0
        assert standing(busier) + never_came >= min(standing(seen), seen.policy.max_nodes - task.step_units)


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
