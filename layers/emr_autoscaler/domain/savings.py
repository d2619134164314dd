"""What scaling and reaping saved in an hour, each against a stated baseline; nothing is counted twice.

- **Spot** (in costs.py): what the instances that ran would have cost on demand, less what they cost.
- **Scaling**: what task nodes that did not run would have cost. The baseline is a task capacity that stays at its
  highest hour of the last day, at the share of the list price that this hour's task nodes were paid at. So it
  counts capacity that did not run, spot capacity that did.
- **Reaping**: what an idle cluster would have gone on costing after its end, for as long again as it had been
  idle, a day at most, at the cost of its last full hour. So it counts time after the last hour of any record.
- **Replacement** has no amount in money: what lost work would have cost is not known. What was lost and what was
  replaced is told in nodes and node-seconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal, localcontext

HOUR = timedelta(hours=1)

SCALING_WINDOW = timedelta(hours=24)
"""The highest hour of this window, which ends with the hour itself, is what a fixed size would have had."""

LONGEST_IDLE = timedelta(hours=24)
"""Reaping never claims more time than this, however long a cluster had been idle."""

SCALE = Decimal("1e-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCost:
    """What the task nodes of a cluster cost in one hour: list rates, and what was paid."""

    hour: datetime
    list_usd: Decimal
    effective_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingSaving:
    """What task nodes that did not run would have cost in this hour; an estimate.

    Attributes:
        saved_usd: (baseline less this hour's list cost of task nodes) times the share paid.
        baseline_list_usd: List cost of the task nodes of the reference hour.
        reference_hour: The hour of the last day with the highest list cost of task nodes.
        paid_share: Effective over list cost of task nodes of this hour, or of the reference hour where none
            ran in this one; 0-1.
        scaled_in_at: When the last scale-in of ours was decided, after the reference hour began.
    """

    saved_usd: Decimal
    baseline_list_usd: Decimal
    reference_hour: datetime
    paid_share: Decimal
    scaled_in_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReapingSaving:
    """What an idle cluster would have cost after it was ended; an estimate, booked once, in the hour of its end.

    Attributes:
        saved_usd: Cost per hour times seconds.
        usd_per_hour: Effective cost of the reference hour.
        seconds: As long again as the cluster had been idle, at most a day.
        reference_hour: The last hour it ran through.
        decision_id: The decision that ended it.
        decided_at: When that was.
    """

    saved_usd: Decimal
    usd_per_hour: Decimal
    seconds: int
    reference_hour: datetime
    decision_id: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacements:
    """Task instances that AWS took back in this hour, and which of them were replaced.

    Attributes:
        lost: How many were taken back.
        lost_seconds: Seconds of the hour that they did not run any more.
        replaced: How many were ordered anew.
        replaced_seconds: Of lost_seconds, those of replaced instances.
        decision_ids: The decisions that ordered them, sorted.
    """

    lost: int
    lost_seconds: int
    replaced: int
    replaced_seconds: int
    decision_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """What the system did for one cluster-hour. The two amounts and the spot saving add up; none holds another."""

    scaling: ScalingSaving | None = None
    reaping: ReapingSaving | None = None
    replacements: Replacements | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """That a cluster was ended because it was idle.

    Attributes:
        decision_id: The decision's record.
        decided_at: When.
        idle_for: How long it had been idle for certain.
    """

    decision_id: str
    decided_at: datetime
    idle_for: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class LostNode:
    """A task instance that AWS took back, and the decision that ordered another, where there is one."""

    ended_at: datetime
    decision_id: str = ""


def scaling_saving(
    task: TaskCost, earlier: Iterable[TaskCost], *, scaled_in_at: datetime | None
) -> ScalingSaving | None:
    """Return what scaling saved in the hour of ``task``.

    Args:
        task: The hour.
        earlier: The hours before; those of the window count.
        scaled_in_at: When task nodes were last scaled in by a decision of ours; without one between the reference
            hour and the end of this hour nothing is claimed: people may have made the cluster smaller.
    """
    window = [task, *(t for t in earlier if task.hour - SCALING_WINDOW < t.hour < task.hour)]
    reference = max(window, key=lambda t: (t.list_usd, t.hour))
    if scaled_in_at is None or not reference.hour <= scaled_in_at < task.hour + HOUR:
        return None
    paid = task if task.list_usd > 0 else reference
    if reference.list_usd <= task.list_usd or paid.list_usd <= 0:
        return None
    with localcontext(prec=60):
        # Spot may cost more than on demand for a while; nodes that did not run are never valued above list.
        share = min(Decimal(1), max(Decimal(0), paid.effective_usd / paid.list_usd)).quantize(SCALE, ROUND_DOWN)
        saved = ((reference.list_usd - task.list_usd) * share).quantize(SCALE, ROUND_DOWN)
    return ScalingSaving(
        saved_usd=saved,
        baseline_list_usd=reference.list_usd,
        reference_hour=reference.hour,
        paid_share=share,
        scaled_in_at=scaled_in_at,
    )


def reaping_saving(reaped: Reaped, last_full_hour: datetime, usd_per_hour: Decimal) -> ReapingSaving:
    """Return what ending an idle cluster saved."""
    seconds = min(reaped.idle_for, LONGEST_IDLE) // timedelta(seconds=1)
    with localcontext(prec=60):
        saved = (usd_per_hour * seconds / 3600).quantize(SCALE, ROUND_DOWN)
    return ReapingSaving(
        saved_usd=saved,
        usd_per_hour=usd_per_hour,
        seconds=seconds,
        reference_hour=last_full_hour,
        decision_id=reaped.decision_id,
        decided_at=reaped.decided_at,
    )


def replacements(hour: datetime, lost: Sequence[LostNode]) -> Replacements | None:
    """Count what AWS took back in an hour; None where that is nothing."""
    if not lost:
        return None

    def seconds(nodes: Iterable[LostNode]) -> int:
        return sum((hour + HOUR - node.ended_at) // timedelta(seconds=1) for node in nodes)

    replaced = [node for node in lost if node.decision_id]
    return Replacements(
        lost=len(lost),
        lost_seconds=seconds(lost),
        replaced=len(replaced),
        replaced_seconds=seconds(replaced),
        decision_ids=tuple(sorted({node.decision_id for node in replaced})),
    )
