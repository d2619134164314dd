"""Scenes of clusters on their way between on-demand and spot: before, amid and after an exchange."""

import random
from dataclasses import replace
from decimal import Decimal

from tests.support.drawn_scenes import draw_pools
from tests.support.scenes import (
    NOW,
    SAMPLED,
    ZONE,
    cooling,
    minutes,
    on_demand_group,
    prices,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup
from emr_autoscaler.domain.memory import LostInstance, PoolHealth, PoolKey, TaskMemory, WantedCapacity
from emr_autoscaler.domain.node_prices import MarketPrices
from emr_autoscaler.domain.policy import CapacityUnit, Objective, TaskPolicy
from emr_autoscaler.domain.snapshot import NodeLoad, NodeState
from emr_autoscaler.domain.step_queue import StepQueue
from emr_autoscaler.domain.task_scene import TaskEvidence

_SPOT = ("ig-A", "ig-B", "ig-C")
_ON_DEMAND = ("ig-D", "ig-E")
_SIZES = {"c5.xlarge": 6144, "m5.xlarge": 12288, "r5.xlarge": 24576, "m5.4xlarge": 57344}


def draw_exchange(number: int) -> TaskEvidence:
    """The scene of this number: spot and on-demand groups, on demand for a while, mostly worth an exchange."""
    chance = random.Random(f"exchange {number}")
    groups = _draw_groups(chance)
    total = sum(_SIZES[g.instance_type] * g.running_count for g in groups) + 2 * 12288
    allocated = chance.choice((0, total, chance.randint(0, total), round(total * chance.uniform(0.7, 1))))
    pending = chance.choice((0, 0, chance.randint(0, 100), chance.randint(0, 5000)))
    nodes, node_groups = _draw_nodes(chance, groups)
    evidence = task_evidence(
        *groups,
        metrics=yarn(allocated_mib=allocated, pending=pending, total_mib=total),
        memory=_draw_memory(chance),
        pools=_draw_healthy(chance, groups),
        prices=_draw_prices(chance, groups),
        groups_are_fresh=chance.random() < 0.5,
        free_addresses=chance.choice((None, None, chance.randint(0, 12))),
        nodes=nodes,
        node_groups=node_groups,
        steps=StepQueue(started_at=NOW - minutes(1)) if chance.random() < 0.1 else StepQueue(),
    )
    if chance.random() < 0.15:
        evidence = _never_comes(chance, evidence)
    return replace(evidence, policy=_draw_policy(chance, evidence))


def _never_comes(chance: random.Random, evidence: TaskEvidence) -> TaskEvidence:
    """Amid an exchange, with requests of one spot group unmet for so long that they are given up."""
    missing = chance.randint(1, 4)
    groups = tuple(
        replace(g, requested_count=g.running_count + missing, state=GroupState.RESIZING)
        if g.group_id == "ig-A"
        else replace(g, requested_count=g.running_count, state=GroupState.RUNNING)
        for g in evidence.groups
    )
    memory = replace(
        evidence.memory,
        returning_mib=chance.choice(tuple(_SIZES.values())) * chance.randint(1, 6),
        unfulfilled_since={"ig-A": NOW - minutes(chance.randint(10, 40))},
    )
    return replace(evidence, groups=groups, memory=memory)


def _draw_groups(chance: random.Random) -> tuple[InstanceGroup, ...]:
    types = ("m5.xlarge",) if chance.random() < 0.6 else tuple(_SIZES)
    settled = chance.random() < 0.7

    def changes(count: int) -> dict[str, object]:
        stands = settled or chance.random() < 0.7
        running = count if stands else chance.randint(0, 12)
        state = GroupState.RUNNING if running == count else GroupState.RESIZING
        return {"running": running, "instance_type": chance.choice(types), "state": state}

    def count() -> int:
        return chance.choice((0, chance.randint(1, 12), chance.randint(1, 12)))

    spot = [task_group(i, n := count(), **changes(n)) for i in _SPOT[: chance.randint(1, 3)]]
    dear = [on_demand_group(i, n := count(), **changes(n)) for i in _ON_DEMAND[: chance.randint(1, 2)]]
    return (*spot, *dear)


def _draw_policy(chance: random.Random, evidence: TaskEvidence) -> TaskPolicy:
    """Bounds around what stands: below, at and above each of them."""
    mine = [g for g in evidence.groups if g.group_id in (*_SPOT, *_ON_DEMAND)]
    nodes = sum(g.requested_count for g in mine)
    most = max(0, nodes + chance.choice((0, 0, 0, 0, 1, 3, 20, -1)))
    mib = sum(_SIZES[g.instance_type] * g.requested_count for g in mine)
    usd = sum((p.usd_per_hour * g.requested_count for g in mine if (p := evidence.prices.of(g, NOW))), Decimal(0))
    return TaskPolicy(
        min_nodes=chance.choice((0, 0, chance.randint(0, most))),
        max_nodes=most,
        objective=chance.choice(tuple(Objective)),
        max_step_nodes=chance.choice((None, None, chance.randint(1, 5))),
        scale_out_cooldown=minutes(chance.choice((0, 1, 30))),
        scale_in_cooldown=minutes(chance.choice((0, 2, 30))),
        on_demand_min_nodes=chance.choice((0, 0, 0, chance.randint(0, most))),
        spot_share=chance.choice((1.0, 1.0, 1.0, 0.5, 0.0)),
        unit=CapacityUnit.YARN_MIB,
        max_units=chance.choice((None, None, None, mib, mib + 12288)),
        max_usd_per_hour=chance.choice((None, None, None, usd, usd + Decimal("0.1"), usd + Decimal("0.5"))),
    )


def _draw_prices(chance: random.Random, groups: tuple[InstanceGroup, ...]) -> MarketPrices:
    """By size; spot mostly at a third, at times not worth the move, at times unknown."""
    share = chance.choice((0.3, 0.35, 0.35, 0.5, 0.95))
    usd = {
        g.group_id: f"{0.192 * _SIZES[g.instance_type] / 12288 * (share if g.group_id in _SPOT else 1):.4f}"
        for g in groups
        if chance.random() < 0.97
    }
    return prices(usd)


def _draw_memory(chance: random.Random) -> TaskMemory:
    def ago(most: int) -> list[object]:
        return [None, NOW - minutes(chance.randint(0, most))]

    wanted = [WantedCapacity(at=SAMPLED - minutes(chance.randint(1, 9)), mib=chance.uniform(0, 200_000))]
    lost = LostInstance(ec2_instance_id="i-lost", group_id="ig-A", gone_by=NOW + minutes(chance.randint(-2, 2)))
    return TaskMemory(
        last_scale_out_at=chance.choice(ago(60)),
        last_scale_in_at=chance.choice(ago(60)),
        on_demand_since=chance.choice((None, *(NOW - minutes(chance.randint(0, 90)) for _ in range(4)))),
        returning_mib=chance.choice((0.0, 0.0, chance.choice(tuple(_SIZES.values())) * chance.randint(1, 6))),
        wanted=chance.choice(((), (), tuple(wanted))),
        lost=chance.choice(((),) * 9 + ((lost,),)),
        storm_until=chance.choice((None,) * 12 + (NOW + minutes(5),)),
    )


def _draw_healthy(chance: random.Random, groups: tuple[InstanceGroup, ...]) -> dict[str, PoolHealth]:
    """Pools: most healthy, some cooling, some not known."""
    if chance.random() < 0.15:
        return dict(draw_pools(chance))
    pools = {}
    for group in groups:
        key = PoolKey(instance_type=group.instance_type, availability_zone=ZONE)
        trouble = chance.choice((None, None, None, NOW - minutes(chance.randint(0, 60))))
        healthy = PoolHealth(key=key, last_trouble_at=trouble)
        pools[group.group_id] = cooling(group.group_id) if chance.random() < 0.1 else healthy
    return pools


def _draw_nodes(
    chance: random.Random, groups: tuple[InstanceGroup, ...]
) -> tuple[tuple[NodeLoad, ...], dict[str, str]]:
    """What a probe tells of each node, where there is one: half of the time."""
    if chance.random() < 0.5:
        return (), {}
    named = {f"i-{g.group_id}-{n}": g.group_id for g in groups for n in range(g.running_count)}
    nodes = tuple(
        NodeLoad(
            ec2_instance_id=name,
            state=chance.choice((NodeState.RUNNING,) * 9 + (NodeState.DECOMMISSIONING,)),
            containers=chance.randint(0, 6),
            application_masters=chance.choice((0, 0, 0, 1)),
            used_mib=chance.randint(0, 12288),
        )
        for name in named
    )
    return nodes, named
