"""Resizes that somebody else ordered, and how long they stand; what is decided meanwhile is not here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import Role, owner_in_words

FORGOTTEN_AFTER = timedelta(days=1)
"""No hold of a policy is longer, so older changes need not be remembered."""

SAME_CALL_WITHIN = timedelta(minutes=15)
"""EMR's event and CloudTrail's of one call come at most this far apart (CloudTrail: about 5 min)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChange:
    """One group's count that was ordered by somebody who is not this system.

    Attributes:
        group_id: The instance group or fleet; empty where the call named none.
        role: What the group does; None where it is not known, and then it counts for every role.
        count: Instances (or units) asked for; None where the call did not say.
        at: When it was ordered, or first seen.
        by: Who, as CloudTrail names them; empty where only the changed count was seen.
    """

    group_id: str
    role: Role | None
    count: int | None
    at: datetime
    by: str = ""

    def told(self) -> str:
        """Return who did what and when, in words."""
        what = owner_in_words(self.group_id) if self.group_id else "a group"
        count = "" if self.count is None else f" to {self.count}"
        how = "" if self.by else " (seen from its changed count; CloudTrail named nobody)"
        return f"{self.by or 'somebody'} set {what}{count} at {self.at:%H:%M} UTC{how}"


def standing_change(
    changes: Sequence[OperatorChange], role: Role, *, now: datetime, hold: timedelta
) -> OperatorChange | None:
    """Return the newest change of a role's groups that still stands, or None."""
    standing = [c for c in changes if c.role in {role, None} and c.at + hold > now]
    return max(standing, key=lambda change: change.at, default=None)


def with_changes(
    known: Sequence[OperatorChange], new: Sequence[OperatorChange], *, now: datetime
) -> tuple[OperatorChange, ...]:
    """Return the newest change of each group; what two sources tell of one call is told once.

    A change that was only seen takes the name that CloudTrail tells afterwards, and keeps a name it has.
    """
    kept = {change.group_id: change for change in known if now - change.at < FORGOTTEN_AFTER}
    for change in new:
        before = kept.get(change.group_id)
        if before is not None and is_same(before, change):
            if change.by and not before.by:
                kept[change.group_id] = change
        elif before is None or change.at >= before.at:
            kept[change.group_id] = change
    return tuple(kept.values())


def is_same(one: OperatorChange, other: OperatorChange) -> bool:
    """Whether two changes are one call, told by different sources."""
    told_twice = bool(one.by) != bool(other.by) or one == other
    return (
        told_twice
        and (one.group_id, one.count) == (other.group_id, other.count)
        and abs(one.at - other.at) <= SAME_CALL_WITHIN
    )
