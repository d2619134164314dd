"""Decides again what was decided, from the stored evidence alone: the same evidence gives the same decision."""

from dataclasses import dataclass, fields

from emr_autoscaler.domain.core_capacity import decide_core_capacity
from emr_autoscaler.domain.core_scene import CoreEvidence
from emr_autoscaler.domain.decision import Decision
from emr_autoscaler.domain.idleness import IdleEvidence, decide_reaping
from emr_autoscaler.domain.interruption import InterruptionEvidence, decide_replacement
from emr_autoscaler.domain.record import DecisionRecord, Evidence
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of deciding again.

    Attributes:
        decision: The decision of today's rules; None where the record keeps no evidence.
        differences: Names of the parts in which it differs from the recorded one.
    """

    decision: Decision | None
    differences: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool | None:
        """Whether it is the same decision; None where it could not be decided again."""
        return None if self.decision is None else not self.differences


def replay(record: DecisionRecord) -> Replay:
    """Decide again and compare."""
    if record.evidence is None:
        return Replay(decision=None)
    decision = decide_again(record.evidence)
    differences = tuple(
        field.name
        for field in fields(Decision)
        if getattr(decision, field.name) != getattr(record.decision, field.name)
    )
    return Replay(decision=decision, differences=differences)


def decide_again(evidence: Evidence) -> Decision:
    """Hand evidence to the decision function that it was made for."""
    match evidence:
        case TaskEvidence():
            return decide_task_capacity(evidence).decision
        case CoreEvidence():
            return decide_core_capacity(evidence).decision
        case InterruptionEvidence():
            return decide_replacement(evidence).decision
        case IdleEvidence():
            return decide_reaping(evidence).decision
