"""When a cluster takes the next step back to spot, and which.

What a step orders is in spot_return.py and spot_exchange.py; a fleet's way back is in fleet_capacity.py.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.placement import capacity_mib
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
    """Take the next step back to spot where nothing else is to be done, or where it goes further than that."""
    if any(group.fleet_id for group in scene.usable):
        return scene, choice
    if scene.evidence.is_work_unseen:
        forgotten = replace(scene.memory, returning_mib=0.0, owed_mib=0.0, on_demand_since=None)
        return (scene if forgotten == scene.memory else replace(scene, memory=forgotten)), choice
    scene = _up_to_date(scene)
    if scene.memory.returning_mib and is_booting(scene):
        step = _elsewhere(scene, choice)
        if step is not None:
            return _taken(scene, step)
        if choice.reason is Reason.DEMAND_BELOW_CAPACITY:
            # The new nodes count as ordered, and do not carry anything yet: the old ones stay until they do.
            if not _orders(scene, scene.base):
                return scene, Choice(reason=Reason.BACK_TO_SPOT, counts=scene.base)
            choice = replace(choice, counts=scene.base)
    orders = _orders(scene, choice.counts)
    step = _step_instead(scene, choice, want) if orders else _next_step(scene, want)
    if step is not None:
        return _taken(scene, step)
    return (_after_other_orders(scene, choice) if orders else _without_debt(scene)), choice


def _orders(scene: Scene, counts: Mapping[str, int]) -> bool:
    """Whether these counts are other than what is requested."""
    return any(counts[g.group_id] + scene.warned[g.group_id] != g.requested_count for g in scene.usable)


def _elsewhere(scene: Scene, choice: Choice) -> SpotReturn | None:
    """Order those nodes of an exchange that never come in another pool, unless other orders go further."""
    never = sum(slot.node_mib * scene.unmet.get(slot.group_id, 0) for slot in scene.slots)
    step = order_spot(scene, returning_mib=max(0.0, scene.memory.returning_mib - never)) if never else None
    if step is None or choice.counts == scene.base or choice.reason is Reason.DEMAND_BELOW_CAPACITY:
        return step
    is_more = sum(step.counts.values()) > sum(choice.counts.values())
    return step if choice.reason is Reason.DEMAND_ABOVE_CAPACITY and is_more else None


def _step_instead(scene: Scene, choice: Choice, want: Want) -> SpotReturn | None:
    """Return the step that buys more than is to be ordered anyway, or gives more back."""
    nodes = sum(choice.counts.values())
    if choice.reason is Reason.DEMAND_ABOVE_CAPACITY:
        step = _next_step(scene, want)
        return step if step is not None and sum(step.counts.values()) > nodes else None
    # What goes with more work, when nothing is too much, goes with less work as well: less never keeps more nodes.
    back = _way_back(scene, want) if choice.reason is Reason.DEMAND_BELOW_CAPACITY else None
    return back if back is not None and sum(back.counts.values()) < nodes else None


def _taken(scene: Scene, step: SpotReturn) -> tuple[Scene, Choice]:
    memory = replace(scene.memory, returning_mib=step.returning_mib, owed_mib=step.owed_mib)
    return replace(scene, memory=memory), Choice(reason=Reason.BACK_TO_SPOT, counts=step.counts, told=step.told)


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
    back = _way_back(scene, want)
    if back is not None:
        return back
    if not has_stood(scene):
        return None
    ordered = order_spot(scene)
    if ordered is None:
        return exchange(scene)
    return None if scene.memory.returning_mib else ordered  # what came is enough until the others may go


def _way_back(scene: Scene, want: Want) -> SpotReturn | None:
    """Give on-demand nodes back that have their counterpart on spot, down to what stood before it was ordered.

    What waits is drained by the nodes that are wanted for it, not by both sides of an exchange. How many go
    depends on the work only through what is needed, and so never falls when there is less of it.
    """
    memory, evidence = scene.memory, scene.evidence
    expected = evidence.steps.held_until(evidence.now) is not None
    if not memory.returning_mib or memory.owed_mib or expected or not may_step(scene):
        return None
    before = capacity_mib(scene.slots, scene.base)
    if not (evidence.memory.lost or scene.is_above_maximum or scene.is_above_cap):
        before -= memory.returning_mib  # what a warning takes does not stand in for anything
    needed = max(want.wanted_mib, min(want.needed_mib, before))
    return give_back(scene, needed_mib=needed, keep_nodes=fewest_nodes(scene, needed, keep_masters=True))


def _after_other_orders(scene: Scene, choice: Choice) -> Scene:
    """Remember that nodes went, or spot was bought, with other orders: no on-demand node goes for them again."""
    ordered = {g.group_id: g.requested_count - scene.warned[g.group_id] for g in scene.usable}
    gone = sum(
        slot.node_mib * max(0, ordered[slot.group_id] - choice.counts[slot.group_id]) for slot in scene.slots
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
