"""How a decision is kept: intent first, outcome after, with everything needed to replay it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from emr_autoscaler.domain.decision import Decision


class Outcome(StrEnum):
    """What became of a decision."""

    HELD = "HELD"
    INTENDED = "INTENDED"
    DONE = "DONE"
    DRY_RUN = "DRY_RUN"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """A decision with its evidence and what came of it.

    Attributes:
        record_id: Unique within the cluster and sortable by time.
        decision: What was decided.
        evidence: The whole input of the decision function in JSON types; the same evidence gives
            the same decision (adapters/evidence.py turns it back).
        outcome: What became of it.
        trigger: What caused the look: an event id, an alarm, a queue message, the sweep.
        error: Why it failed, where it did.
    """

    record_id: str
    decision: Decision
    evidence: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome
    trigger: str = ""
    error: str = ""
