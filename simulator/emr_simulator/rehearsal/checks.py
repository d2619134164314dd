"""What has to be seen for a rehearsal to count, each with the line that is printed when it was not."""

import itertools
from collections.abc import Mapping, Sequence

from emr_autoscaler.domain.decision import Action, DecisionKind
from emr_simulator.rehearsal.summary import Summary, resizes, to_cents
from emr_simulator.rehearsal.timeline import ClusterMoment, Moment

_ALIVE = frozenset({"RUNNING", "WAITING"})


def missing(
    summary: Summary,
    *,
    first: Mapping[str, ClusterMoment],
    moments: Sequence[Moment],
    enrolled: frozenset[str],
    scaled: str,
    forgotten: str,
    busy: str,
    foreign: str,
    maximum: int,
    trouble: Sequence[str],
) -> tuple[str, ...]:
    """Return one line for each thing that was not seen; empty is success.

    Args:
        summary: What came of it.
        first: The clusters as they were once up, by name.
        moments: One a minute, oldest first.
        enrolled: Names of the clusters in the registry.
        scaled: Cluster whose groups must have been resized.
        forgotten: Cluster that must have been reaped.
        busy: Cluster that must have been kept.
        foreign: Cluster that is not opted in.
        maximum: Most task nodes the scaled cluster may have ordered.
        trouble: Events given up, dead letters, faults of the simulator.
    """
    last = moments[-1].clusters
    task = [moment.clusters[scaled].running("TASK") for moment in moments]
    ordered = [moment.clusters[scaled].wanted("TASK") for moment in moments]
    core = [moment.clusters[scaled].running("CORE") for moment in moments]
    seen = {
        f"{scaled}: no task group was scaled out": _went_up(summary, DecisionKind.TASK, task),
        f"{scaled}: no task group was scaled in": _went_down(summary, task),
        f"{scaled}: the core group was not resized": _resized(summary, core),
        f"{scaled}: more than {maximum} task nodes ordered": max(ordered) <= maximum,
        "no spot warning was answered with a replacement": _warning_answered(summary),
        f"{forgotten}: idle, and neither announced nor reaped": _was_reaped(summary, forgotten, last),
        f"{busy}: busy, and not kept": last[busy].state in _ALIVE and not _ended(summary, busy),
        f"{foreign}: not opted in, and written to": foreign not in enrolled
        and _same(first.get(foreign), last[foreign])
        and not any(deed.cluster == foreign for deed in summary.deeds),
        "no cost was recorded": summary.recorded_usd > 0,
    }
    lines = [line for line, was_seen in seen.items() if not was_seen]
    lines += [
        f"{bill.cluster}: {to_cents(bill.recorded_usd)} USD recorded, {to_cents(bill.ledger_usd)} USD on the bill"
        for bill in summary.bills
        if bill.recorded_usd is not None and not bill.agrees
    ]
    return (*lines, *trouble)


def _went_up(summary: Summary, kind: DecisionKind, counts: Sequence[int]) -> bool:
    ordered = any(deed.change > 0 for deed in resizes(summary.deeds, kind))
    return ordered and any(later > earlier for earlier, later in itertools.pairwise(counts))


def _went_down(summary: Summary, counts: Sequence[int]) -> bool:
    ordered = any(deed.action == Action.SCALE_IN for deed in resizes(summary.deeds, DecisionKind.TASK))
    return ordered and any(later < earlier for earlier, later in itertools.pairwise(counts))


def _resized(summary: Summary, counts: Sequence[int]) -> bool:
    ordered = any(deed.change for deed in resizes(summary.deeds, DecisionKind.CORE))
    return ordered and len({count for count in counts if count}) > 1


def _warning_answered(summary: Summary) -> bool:
    replaced = any(
        deed.kind == DecisionKind.INTERRUPTION and deed.action == Action.REPLACE and deed.done
        for deed in summary.deeds
    )
    return replaced and all(entry.answer for entry in summary.interruptions)


def _was_reaped(summary: Summary, cluster: str, last: Mapping[str, ClusterMoment]) -> bool:
    announced = any(entry.cluster == cluster and entry.announced_at for entry in summary.reaped)
    return announced and last[cluster].state not in _ALIVE


def _ended(summary: Summary, cluster: str) -> bool:
    return any(entry.cluster == cluster for entry in summary.reaped)


def _same(first: ClusterMoment | None, last: ClusterMoment) -> bool:
    return (
        first is not None
        and last.state in _ALIVE
        and [(g.group_id, g.wanted) for g in first.groups] == [(g.group_id, g.wanted) for g in last.groups]
    )
