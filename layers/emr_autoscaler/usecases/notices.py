"""A decision as people are told of it; whether and when they are is said by journal.py."""

from collections.abc import Sequence

from emr_autoscaler.domain.decision import Decision, order_in_words
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.ports import Notification

SUBJECT_LIMIT = 100


def notice_of(
    decision: Decision, entry: RegistryEntry, *, severity: str, remarks: Sequence[str] = (), dry: bool = False
) -> Notification:
    """Return what people are told of a decision: what, why, and what is to be remarked beside it.

    Args:
        decision: What was decided.
        entry: The cluster.
        severity: For subscription filters: info, warning or critical.
        remarks: Lines to be added; empty ones are left out.
        dry: Whether it was decided in a dry run.
    """
    what = f"{'[dry run] ' if dry else ''}{decision.action} {entry.cluster.name or entry.cluster_id}"
    orders = [order_in_words(target) for target in decision.targets]
    lines = [f"{decision.kind} decision on {entry.cluster_id}: {decision.action}, {decision.reason}"]
    lines += [text for text in (decision.detail, *orders, *remarks) if text]
    return Notification(
        subject=f"{what}: {decision.reason}"[:SUBJECT_LIMIT],
        body="\n".join(lines),
        attributes={
            "kind": decision.kind,
            "reason": decision.reason,
            "cluster_id": entry.cluster_id,
            "policy": entry.policy_name or "none",
            "severity": severity,
        },
    )
