"""What a died invocation left: how far its order got, and how its memory is kept beside what was learned since."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, TypeVar

from emr_autoscaler.domain.cluster import InstanceGroup
from emr_autoscaler.domain.decision import Action, Decision, GroupTarget
from emr_autoscaler.domain.fleets import FleetTarget, InstanceFleet
from emr_autoscaler.domain.memory import CoreMemory, RegistryEntry, TaskMemory

MemoryT = TypeVar("MemoryT", TaskMemory, CoreMemory)


OVERTAKEN = (
    "the invocation ended before it recorded whether EMR took the order, and somebody has ordered since; "
    "the cluster is looked at again"
)
NEVER_ORDERED = (
    "the invocation ended before it ordered: EMR has the counts of before; the cluster is looked at again"
)

ENDS_WITHIN = timedelta(minutes=15)
"""EMR ends a cluster one to five minutes after it was told to; what ends much later was ended by another."""


class Progress(Enum):
    """How far an order got."""

    OPEN = auto()
    THERE = auto()
    OVERTAKEN = auto()


def progress_of(
    decision: Decision, groups: Sequence[InstanceGroup], fleets: Sequence[InstanceFleet] = ()
) -> Progress:
    """Return whether the counts that were to be ordered are there, are as they were, or are somebody else's since.

    Args:
        decision: What was to be ordered.
        groups: All groups as EMR describes them now.
        fleets: All fleets likewise.
    """
    counts: dict[str, object] = {group.group_id: group.requested_count for group in groups}
    counts |= {fleet.fleet_id: (fleet.target_on_demand_units, fleet.target_spot_units) for fleet in fleets}
    before: list[bool] = []
    there: list[bool] = []
    for target in decision.targets:
        old, new, now = target.previous_count, target.count, counts.get(target.group_id)
        if isinstance(target, FleetTarget):
            before.append(now == (target.previous_on_demand_units, target.previous_spot_units))
            there.append(now == (target.on_demand_units, target.spot_units))
        else:
            before.append(now == old)
            there.append(now == new)
    if all(there):
        return Progress.THERE
    return Progress.OPEN if all(before) else Progress.OVERTAKEN


def proof_of(decision: Decision, entry: RegistryEntry) -> str:
    """Return what proves that EMR took an order, of what it has told since; empty where nothing does.

    What was seen before the order shows the counts of before, so that those of the order can only be newer. They
    prove nothing where CloudTrail told that somebody else ordered the same groups since.
    """
    since = decision.decided_at
    if decision.action is Action.TERMINATE:
        ended_at = entry.cluster.ended_at
        ended = entry.cluster.state.has_ended and (ended_at is None or since <= ended_at <= since + ENDS_WITHIN)
        return f"{_NOT_RECORDED}, and the cluster has ended since" if ended else ""
    changed = [t for t in decision.targets if not _stands_as_before(t)]
    ids = {target.group_id for target in decision.targets}
    seen = all(max(entry.groups_seen_at, entry.groups_told_at.get(i, entry.groups_seen_at)) >= since for i in ids)
    by_others = any(change.group_id in ids and change.at >= since for change in entry.operator_changes)
    if not changed or not seen or by_others:
        return ""
    there = progress_of(decision, entry.groups, entry.fleets) is Progress.THERE
    return f"{_NOT_RECORDED}, and EMR has the counts that were ordered" if there else ""


_NOT_RECORDED = "the invocation ended before it recorded this"


def _stands_as_before(target: GroupTarget | FleetTarget) -> bool:
    if isinstance(target, FleetTarget):
        before = (target.previous_on_demand_units, target.previous_spot_units)
        return before == (target.on_demand_units, target.spot_units)
    return target.count == target.previous_count


def with_late_changes(current: MemoryT, *, before: MemoryT, after: MemoryT) -> MemoryT:
    """Return ``current`` with what a decision changed from ``before`` to ``after``; what came since stays."""
    changes: dict[str, Any] = {}
    for field in fields(before):
        old: Any = getattr(before, field.name)
        new: Any = getattr(after, field.name)
        now: Any = getattr(current, field.name)
        if new == old:
            continue
        if now == old:
            changes[field.name] = new
        elif field.name == "lost":
            settled: list[Any] = [entry for entry in old if entry not in new]
            added: list[Any] = [entry for entry in new if entry not in old and entry not in now]
            changes[field.name] = (*(entry for entry in now if entry not in settled), *added)
        elif field.name.startswith("last_"):
            changes[field.name] = _latest(new, now)
        elif field.name == "next_evaluation_at":
            changes[field.name] = min((at for at in (new, now) if at is not None), default=None)
    return replace(current, **changes)


def _latest(*times: datetime | None) -> datetime | None:
    return max((at for at in times if at is not None), default=None)
