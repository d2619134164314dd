"""How a decision is carried out so that nothing is lost: intent first, then the act, then the outcome."""

import hashlib
from dataclasses import dataclass

from emr_autoscaler.domain.decision import Action, Decision
from emr_autoscaler.domain.errors import NotFoundError, RefusedError
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.record import DecisionRecord, Evidence, Outcome
from emr_autoscaler.ports import ClusterActuator, Decisions, Notification, Notifier

SUBJECT_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The decisions made, and who is told of them."""

    decisions: Decisions
    notifier: Notifier

    def write(
        self,
        decision: Decision,
        evidence: Evidence | None,
        outcome: Outcome,
        *,
        trigger: str,
        error: str = "",
    ) -> DecisionRecord:
        """Write a record; the outcome of an intent replaces the intent."""
        digest = hashlib.sha256(trigger.encode()).hexdigest()[:8]
        record = DecisionRecord(
            record_id=f"{decision.decided_at:%Y-%m-%dT%H:%M:%S.%fZ}-{decision.kind}-{digest}",
            decision=decision,
            evidence=evidence,
            outcome=outcome,
            trigger=trigger,
            error=error,
        )
        self.decisions.put(record)
        return record

    def carry_out(
        self,
        decision: Decision,
        evidence: Evidence,
        entry: RegistryEntry,
        actuator: ClusterActuator,
        *,
        trigger: str,
    ) -> DecisionRecord:
        """Record the intent, act, record the outcome, tell people.

        A refusal by EMR is an outcome (FAILED), not an error. Throttling and faults are raised with
        the intent left standing: the retried invocation, or the sweep, takes it from there.
        """
        if not decision.changes_something:
            return self.write(decision, evidence, Outcome.HELD, trigger=trigger)
        self.write(decision, evidence, Outcome.INTENDED, trigger=trigger)
        try:
            self._act(decision, actuator)
        except (RefusedError, NotFoundError) as error:
            self.announce(decision, entry, severity="warning", problem=str(error))
            return self.write(decision, evidence, Outcome.FAILED, trigger=trigger, error=str(error))
        outcome = Outcome.DRY_RUN if actuator.is_dry else Outcome.DONE
        record = self.write(decision, evidence, outcome, trigger=trigger)
        self.announce(decision, entry, severity="info", dry=actuator.is_dry)
        return record

    def announce(
        self,
        decision: Decision,
        entry: RegistryEntry,
        *,
        severity: str,
        problem: str = "",
        dry: bool = False,
    ) -> None:
        """Tell people what was decided and why."""
        what = f"{'[dry run] ' if dry else ''}{decision.action} {entry.cluster.name or entry.cluster_id}"
        orders = [f"group {t.group_id}: {t.previous_count} -> {t.count}" for t in decision.targets]
        lines = [f"{decision.kind} decision on {entry.cluster_id}: {decision.action}, {decision.reason}"]
        lines += [text for text in (decision.detail, *orders) if text]
        lines += [f"EMR refused: {problem}"] if problem else []
        self.notifier.notify(
            Notification(
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
        )

    @staticmethod
    def _act(decision: Decision, actuator: ClusterActuator) -> None:
        if decision.action is Action.TERMINATE:
            actuator.terminate_cluster(decision.cluster_id)
        else:
            actuator.resize_groups(decision.cluster_id, decision.targets)
