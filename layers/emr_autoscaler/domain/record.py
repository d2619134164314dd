"""How a decision is kept: intent first, outcome after, with everything needed to replay it."""

from dataclasses import dataclass
from enum import StrEnum

from emr_autoscaler.domain.core_scene import CoreEvidence
from emr_autoscaler.domain.decision import Decision
from emr_autoscaler.domain.idleness import IdleEvidence
from emr_autoscaler.domain.interruption import InterruptionEvidence
from emr_autoscaler.domain.task_scene import TaskEvidence

Evidence = TaskEvidence | CoreEvidence | InterruptionEvidence | IdleEvidence
"""The whole input of a decision function. The same evidence gives the same decision."""


class Outcome(StrEnum):
    """What became of a decision."""

    HELD = "HELD"
    INTENDED = "INTENDED"
    DONE = "DONE"
    DRY_RUN = "DRY_RUN"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """A decision with its evidence and what came of it.

    Attributes:
        record_id: Unique within the cluster and sortable by time.
        decision: What was decided.
        evidence: What the decision function saw; None where nothing was decided by one (POLICY).
        outcome: What became of it.
        trigger: What caused the look: an event id, an alarm, a queue message, the sweep.
        error: Why it failed, where it did.
        note: How the outcome is known, or why not, where the invocation that ordered did not record it.
        is_dry: Whether it was decided in a dry run, so that nothing of it goes to EMR.
        told_as: The id of the notification that told people of it, once it is known to have gone out.
    """

    record_id: str
    decision: Decision
    evidence: Evidence | None = None
    outcome: Outcome
    trigger: str = ""
    error: str = ""
    note: str = ""
    is_dry: bool = False
    told_as: str = ""
