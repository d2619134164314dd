"""Close the intents whose invocation died and never came again: by what EMR's own facts prove, asking it nothing.

What comes again is finished by capacity_look.py and handle_interruption.py, which may order; nothing is ordered
here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import BusyError
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.ports import Clock, EvaluationQueue, Leases, Registry
from emr_autoscaler.usecases.capacity_look import CapacityLook
from emr_autoscaler.usecases.journal import INTENT_IS_LOST_AFTER, Journal
from emr_autoscaler.usecases.unfinished_intents import proof_of

NOT_KNOWN = "the invocation ended before it recorded whether EMR took the order; the cluster is looked at again"
REHEARSED = "the invocation ended before it recorded this; a dry run orders nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseLostIntents:
    """One look at every intent that is older than any invocation lives."""

    clock: Clock
    registry: Registry
    leases: Leases
    queue: EvaluationQueue
    journal: Journal
    looks: Mapping[DecisionKind, CapacityLook[Any, Any]]

    def __call__(self) -> int:
        """Close what is lost, tell people, and have the clusters looked at again; return how many were closed.

        An intent whose cluster is held is left: whoever holds it may be finishing it. One that people could not
        be told of stays open for the next sweep, because nobody else would tell them.
        """
        lost = self.journal.decisions.unfinished(self.clock.now() - INTENT_IS_LOST_AFTER)
        return sum(self._close(intent) for intent in lost)

    def _close(self, intent: DecisionRecord) -> bool:
        cluster_id, kind = intent.decision.cluster_id, intent.decision.kind
        try:
            with self.leases.hold(cluster_id, owner=f"sweep {intent.record_id}"):
                if self._is_closed(intent):
                    return False
                look = kind if kind is DecisionKind.CORE else DecisionKind.TASK
                self.queue.request(cluster_id, look, now=self.clock.now(), cause="lost intent")
                self._conclude(intent)
        except BusyError:
            return False
        return True

    def _is_closed(self, intent: DecisionRecord) -> bool:
        """Whether somebody has recorded the outcome since the intents were listed."""
        at = intent.decision.decided_at
        records = self.journal.decisions.of_cluster(intent.decision.cluster_id, since=at, limit=1000)
        return any(r.record_id == intent.record_id and r.outcome is not Outcome.INTENDED for r in records)

    def _conclude(self, intent: DecisionRecord) -> None:
        entry = self.registry.get(intent.decision.cluster_id)
        proof = "" if entry is None else proof_of(intent.decision, entry)
        if proof and intent.decision.kind in self.looks:
            self.looks[intent.decision.kind].remember_order(intent)
        if proof:
            record = replace(intent, outcome=Outcome.DONE, note=proof)
        elif intent.is_dry:
            record = replace(intent, outcome=Outcome.DRY_RUN, note=REHEARSED)
        else:
            record = replace(intent, outcome=Outcome.UNKNOWN, note=NOT_KNOWN)
        self.journal.decisions.put(record if entry is None else self.journal.told(record, entry))
