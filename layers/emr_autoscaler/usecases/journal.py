"""How a decision is carried out so that nothing is lost: intent first, then the act, then the outcome."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget, order_in_words
from emr_autoscaler.domain.errors import NotFoundError, RefusedError
from emr_autoscaler.domain.fleets import FleetTarget
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.record import DecisionRecord, Evidence, Outcome
from emr_autoscaler.ports import ClusterActuator, Decisions, Notification, Notifier

SUBJECT_LIMIT = 100

INTENT_IS_LOST_AFTER = timedelta(minutes=5)
"""Until then a retried invocation finishes an intent; after it the sweep gives it up and looks anew."""

COMES_AGAIN_WITHIN = timedelta(minutes=15)
"""A message that failed is delivered again within this time, or lies in a dead-letter queue."""

REFUSAL_IS_TOLD_EVERY = timedelta(hours=1)
"""A refusal that lasts is recorded each time, and announced this often."""

REHEARSALS_READ = 20
"""How far back a dry run looks for the order it told of last."""

_CARRIED_OUT = frozenset({Outcome.DONE, Outcome.DRY_RUN})

SAME_GROUPS = {
    DecisionKind.TASK: frozenset({DecisionKind.TASK, DecisionKind.INTERRUPTION}),
    DecisionKind.INTERRUPTION: frozenset({DecisionKind.TASK, DecisionKind.INTERRUPTION}),
    DecisionKind.CORE: frozenset({DecisionKind.CORE}),
}
"""Decisions of these kinds order counts of the same groups."""

Remember = Callable[[Outcome], None]
"""Keeps what a decision wants remembered, knowing what became of it."""


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
        remember: Remember = lambda _outcome: None,
    ) -> DecisionRecord:
        """Record the intent, act, remember, record the outcome, tell people.

        A refusal by EMR is an outcome (FAILED), not an error. Throttling and faults are raised with
        the intent left standing: the retried invocation finishes it, or the sweep gives it up.
        """
        if not decision.changes_something:
            held = self.write(decision, evidence, Outcome.HELD, trigger=trigger)
            remember(Outcome.HELD)
            return held
        intent = self.write(decision, evidence, Outcome.INTENDED, trigger=trigger)
        remember(Outcome.INTENDED)
        return self.finish(intent, entry, actuator, remember=remember)

    def finish(
        self,
        intent: DecisionRecord,
        entry: RegistryEntry,
        actuator: ClusterActuator,
        *,
        remember: Remember,
        is_there: bool = False,
    ) -> DecisionRecord:
        """Carry out an intent, whether or not it was carried out before: its counts are absolute.

        The intent stands until everything else is kept, so that whoever finishes it again does the same.

        Args:
            intent: What is to be ordered.
            entry: The cluster.
            actuator: Who orders.
            remember: Keeps what the decision wants remembered.
            is_there: EMR has the order already: only what follows from it is left to be done.
        """
        decision, problem = intent.decision, ""
        try:
            if not is_there:
                self._act(decision, actuator)
            outcome = Outcome.DRY_RUN if actuator.is_dry else Outcome.DONE
        except (RefusedError, NotFoundError) as error:
            outcome, problem = Outcome.FAILED, str(error)
        remember(outcome)
        record = replace(intent, outcome=outcome, error=problem)
        self.decisions.put(record)
        self.tell(record, entry)
        return record

    def tell(self, record: DecisionRecord, entry: RegistryEntry) -> None:
        """Tell people of an order, unless they were told of the same lately."""
        dry = record.outcome is Outcome.DRY_RUN
        told = self._was_refused(record) if record.error else dry and self._was_rehearsed(record)
        if not told:
            severity = "warning" if record.error else "info"
            self.announce(record.decision, entry, severity=severity, problem=record.error, dry=dry)

    def give_up(self, intent: DecisionRecord, why: str) -> None:
        """Close an intent that nobody will carry out any more."""
        self.decisions.put(replace(intent, outcome=Outcome.FAILED, error=why))

    def _was_refused(self, record: DecisionRecord) -> bool:
        """Whether people were told of the same refusal lately: it is tried again every few minutes."""
        since = record.decision.decided_at - REFUSAL_IS_TOLD_EVERY
        earlier = self.decisions.of_cluster(record.decision.cluster_id, since=since)
        return any(r.error == record.error for r in earlier if r.record_id != record.record_id)

    def _was_rehearsed(self, record: DecisionRecord) -> bool:
        """Whether a dry run told of the same order last time: it stands until something else is decided."""
        decision = record.decision
        earlier = (
            r
            for r in self.decisions.of_cluster(decision.cluster_id, limit=REHEARSALS_READ)
            if r.record_id != record.record_id and r.decision.kind is decision.kind
        )
        last = next((r for r in earlier if r.decision.changes_something), None)
        if last is None or last.outcome is not Outcome.DRY_RUN:
            return False
        return (last.decision.action, _counts(last.decision)) == (decision.action, _counts(decision))

    def led_to(self, cluster_id: str, kind: DecisionKind, *, trigger: str, now: datetime) -> DecisionRecord | None:
        """Return the order that a trigger that comes again has led to, or the intent that a died invocation left.

        An intent of any kind that orders the same groups, as long as no order was given since, whoever gave it.
        """
        records = self.decisions.of_cluster(cluster_id, since=now - COMES_AGAIN_WITHIN)
        orders = [r for r in records if r.decision.kind in SAME_GROUPS[kind] and r.decision.targets]
        for record in orders:
            if record.outcome in _CARRIED_OUT and (record.trigger, record.decision.kind) == (trigger, kind):
                return record
        return orders[0] if orders and orders[0].outcome is Outcome.INTENDED else None

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
        orders = [order_in_words(target) for target in decision.targets]
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
            groups = [target for target in decision.targets if isinstance(target, GroupTarget)]
            actuator.resize_groups(decision.cluster_id, groups)
            for target in decision.targets:
                if isinstance(target, FleetTarget):
                    actuator.resize_fleet(decision.cluster_id, target)


def _counts(decision: Decision) -> tuple[tuple[str, int], ...]:
    return tuple((target.group_id, target.count) for target in decision.targets)
