"""What is done to task groups while a count that somebody else ordered stands: nothing but replacing losses.

The count stands even outside the policy's bounds. Instances that EC2 takes back are still replaced,
node for node and never beyond what was ordered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget, Reason
from emr_autoscaler.domain.memory import LostInstance, TaskMemory
from emr_autoscaler.domain.operator_change import standing_change
from emr_autoscaler.domain.placement import place_more
from emr_autoscaler.domain.task_scene import Scene, TaskEvidence, set_scene


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVerdict:
    """The decision, and what to remember once it is carried out (or held)."""

    decision: Decision
    memory: TaskMemory


def hold_for_operator(evidence: TaskEvidence) -> HeldVerdict | None:
    """Return the decision while somebody's resize of a task group stands; None where none does."""
    hold = evidence.policy.operator_hold
    change = standing_change(evidence.operator_changes, Role.TASK, now=evidence.now, hold=hold)
    if change is None:
        return None
    until = change.at + hold
    scene = set_scene(evidence)
    targets = () if isinstance(scene, Reason) else _replacements(scene)
    waiting = tuple(lost for lost in evidence.memory.lost if lost.gone_by > evidence.now)
    next_at = min((until, *(lost.gone_by for lost in waiting)))
    decision = Decision(
        kind=DecisionKind.TASK,
        cluster_id=evidence.cluster_id,
        decided_at=evidence.now,
        action=Action.REBALANCE if targets else Action.HOLD,
        reason=Reason.LOST_CAPACITY_SETTLED if targets else Reason.OPERATOR_RESIZED,
        targets=targets,
        detail=f"{change.told()}; it stands until {until:%H:%M} UTC",
        next_evaluation_at=next_at,
    )
    return HeldVerdict(
        decision=decision, memory=replace(evidence.memory, lost=waiting, next_evaluation_at=next_at)
    )


def _replacements(scene: Scene) -> tuple[GroupTarget, ...]:
    """Lower the groups that lost instances, and order elsewhere what was not ordered there already.

    Where no other group may be asked the count stays: EMR itself then refills the group once it can.
    """
    ordered = {group.group_id: group.requested_count for group in scene.usable}
    gone = {group_id: _gone(scene, group_id, replaced=None) for group_id in ordered}
    replaced = {group_id: min(gone[group_id], _gone(scene, group_id, replaced=True)) for group_id in ordered}
    if not any(gone.values()):
        return ()
    total = sum(ordered.values()) - sum(replaced.values())
    slots = tuple(
        replace(
            slot,
            count=ordered[slot.group_id] - gone[slot.group_id],
            open=slot.open and not gone[slot.group_id],
        )
        for slot in scene.slots
    )
    counts = place_more(slots, wanted_mib=0.0, min_nodes=total, max_nodes=total, on_demand_min_nodes=0)
    short = total - sum(counts.values())
    for group_id in counts:
        back = min(short, gone[group_id] - replaced[group_id])
        counts[group_id] += back
        short -= back
    return _targets(scene, counts)


def _gone(scene: Scene, group_id: str, *, replaced: bool | None) -> int:
    """Count a group's instances that EC2 took; once EMR was asked, no more than it misses."""
    evidence = scene.evidence

    def counts(lost: LostInstance) -> bool:
        wanted = replaced is None or lost.replaced is replaced
        return lost.group_id == group_id and lost.gone_by <= evidence.now and wanted

    gone = sum(counts(lost) for lost in evidence.memory.lost)
    group = next(group for group in scene.usable if group.group_id == group_id)
    if evidence.groups_are_fresh:
        gone = min(gone, max(0, group.requested_count - group.running_count))
    return min(gone, group.requested_count)


def _targets(scene: Scene, counts: Mapping[str, int]) -> tuple[GroupTarget, ...]:
    return tuple(
        GroupTarget(
            group_id=group.group_id,
            count=counts[group.group_id],
            previous_count=group.requested_count,
            decommission_timeout=(
                scene.evidence.policy.decommission_timeout
                if counts[group.group_id] < group.requested_count
                else None
            ),
        )
        for group in scene.usable
        if counts[group.group_id] != group.requested_count
    )
