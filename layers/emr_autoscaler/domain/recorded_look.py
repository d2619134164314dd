"""Which looks at task capacity go into the journal, where a probe causes one every ten seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_autoscaler.domain.decision import Action, Decision, Reason

RECORD_EVERY = timedelta(minutes=5)
"""What stays as it was is recorded this often, and tried again where it was not carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLook:
    """The last look at task capacity that stands in the journal.

    Attributes:
        at: When it was.
        action: What was decided.
        reason: Why.
        ordered: Whether EMR took an order.
        refused: Whether EMR refused one.
    """

    at: datetime
    action: Action
    reason: Reason
    ordered: bool = False
    refused: bool = False


def is_news(decision: Decision, last: RecordedLook | None) -> bool:
    """Whether a decision is worth a record: another action or reason than the last, or five minutes later."""
    if last is None or decision.decided_at - last.at >= RECORD_EVERY:
        return True
    return (decision.action, decision.reason) != (last.action, last.reason)


def may_act(decision: Decision, last: RecordedLook | None) -> bool:
    """Whether an order may be given: not the one that a dry run just told of, none right after a refusal."""
    if last is None or decision.decided_at - last.at >= RECORD_EVERY or last.ordered:
        return True
    return not last.refused and is_news(decision, last)
