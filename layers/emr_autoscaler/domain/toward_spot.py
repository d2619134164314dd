"""When a cluster takes the next step back to spot, and which.

What a step orders is in spot_return.py and spot_exchange.py; a fleet's way back is in fleet_capacity.py.
"""

from dataclasses import replace
from datetime import datetime

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.spot_exchange import exchange
from emr_autoscaler.domain.spot_return import (
    SpotReturn,
    give_back,
    has_stood,
    is_booting,
    may_step,
    order_spot,
    surplus_on_demand,
)
from emr_autoscaler.domain.task_choice import Choice, fewest_nodes
from emr_autoscaler.domain.task_scene import Scene
from emr_autoscaler.domain.want import Want


def toward_spot(scene: Scene, choice: Choice, want: Want) -> tuple[Scene, Choice]:
    """Take the next step back to spot where nothing else is to be done, or where it buys more than is wanted."""
    if any(group.fleet_id for group in scene.usable):
        return scene, choice
    scene = _up_to_date(scene)
    if scene.memory.returning_mib and choice.reason is Reason.DEMAND_BELOW_CAPACITY and is_booting(scene):
        # The new nodes count as ordered, and do not carry anything yet: the old ones stay until they do.
        return scene, Choice(reason=Reason.BACK_TO_SPOT, counts=scene.base)
    orders = any(
        choice.counts[group.group_id] + scene.warned[group.group_id] != group.requested_count
        for group in scene.usable
    )
    if orders and choice.reason is not Reason.DEMAND_ABOVE_CAPACITY:
        return _after_other_orders(scene, choice), choice
    step = _next_step(scene, want)
    if orders and (step is None or sum(step.counts.values()) <= sum(choice.counts.values())):
        return _after_other_orders(scene, choice), choice
    if step is None:
        return _without_debt(scene), choice
    memory = replace(scene.memory, returning_mib=step.returning_mib, owed_mib=step.owed_mib)
    told = Choice(reason=Reason.BACK_TO_SPOT, counts=step.counts, told=step.told)
    return replace(scene, memory=memory), told


def _up_to_date(scene: Scene) -> Scene:
    memory = scene.memory
    since: datetime | None = memory.on_demand_since or scene.evidence.now
    returning = memory.returning_mib
    if not surplus_on_demand(scene):
        since, returning = None, 0.0
    if (since, returning) == (memory.on_demand_since, memory.returning_mib):
        return scene
    return replace(scene, memory=replace(memory, on_demand_since=since, returning_mib=returning))


def _next_step(scene: Scene, want: Want) -> SpotReturn | None:
    if not may_step(scene):
        return None
    if scene.memory.owed_mib:
        return order_spot(scene)
    if scene.memory.returning_mib and scene.evidence.steps.held_until(scene.evidence.now) is None:
        needed = want.needed_mib
        back = give_back(scene, needed_mib=needed, keep_nodes=fewest_nodes(scene, needed, keep_masters=True))
        if back is not None:
            return back
    if not has_stood(scene):
        return None
    ordered = order_spot(scene)
    if ordered is None:
        return exchange(scene)
    return None if scene.memory.returning_mib else ordered  # what came is enough until the others may go


def _after_other_orders(scene: Scene, choice: Choice) -> Scene:
    """Remember that on-demand nodes went, or spot was bought, with other orders."""
    gone = sum(
        slot.node_mib * max(0, slot.count - choice.counts[slot.group_id])
        for slot in scene.slots
        if slot.market is Market.ON_DEMAND
    )
    returning = max(0.0, scene.memory.returning_mib - gone)
    if (returning, 0.0) == (scene.memory.returning_mib, scene.memory.owed_mib):
        return scene
    return replace(scene, memory=replace(scene.memory, returning_mib=returning, owed_mib=0.0))


def _without_debt(scene: Scene) -> Scene:
    """Forget what was given up and could not be bought on spot once it was gone: that market failed again."""
    if not scene.memory.owed_mib or not may_step(scene):
        return scene
    return replace(scene, memory=replace(scene.memory, owed_mib=0.0, on_demand_since=scene.evidence.now))
