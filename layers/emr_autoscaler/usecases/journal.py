"""How a decision is carried out so that nothing is lost: intent first, then the act, then the outcome."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget
from emr_autoscaler.domain.errors import NotFoundError, RefusedError
from emr_autoscaler.domain.fleets import FleetTarget
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.record import DecisionRecord, Evidence, Outcome
from emr_autoscaler.ports import ClusterActuator, Decisions, Notifier
from emr_autoscaler.usecases.notices import notice_of

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
        is_dry: bool = False,
    ) -> DecisionRecord:
        """Write a record; the outcome of an intent replaces the intent."""
        record = record_of(decision, evidence, outcome, trigger=trigger, is_dry=is_dry)
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
        """Record the intent, act, remember, tell people, record the outcome and that they were told.

        A refusal by EMR is an outcome (FAILED), not an error. Throttling and faults are raised with
        the intent left standing: the retried invocation finishes it, or the sweep gives it up.
        """
        if not decision.changes_something:
            held = self.write(decision, evidence, Outcome.HELD, trigger=trigger)
            remember(Outcome.HELD)
            return held
        intent = self.write(decision, evidence, Outcome.INTENDED, trigger=trigger, is_dry=actuator.is_dry)
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
            outcome = Outcome.DRY_RUN if actuator.is_dry and not is_there else Outcome.DONE
        except (RefusedError, NotFoundError) as error:
            outcome, problem = Outcome.FAILED, str(error)
        remember(outcome)
        is_dry = outcome is Outcome.DRY_RUN
        return self.tell(replace(intent, outcome=outcome, error=problem, is_dry=is_dry), entry)

    def tell(self, record: DecisionRecord, entry: RegistryEntry) -> DecisionRecord:
        """Tell people of an order, unless the record proves that they were told, and write it as told.

        What could not be told is written all the same, and whoever gets the same message again tells it.
        """
        if record.told_as:
            return record
        try:
            record = self.told(record, entry)
        finally:
            self.decisions.put(record)
        return record

    def told(self, record: DecisionRecord, entry: RegistryEntry) -> DecisionRecord:
        """Tell people of an order, unless they were told of the same lately; return it as told, not written."""
        dry = record.outcome is Outcome.DRY_RUN
        if record.error and self._was_refused(record):
            return record
        told_as = self._rehearsed_as(record) if dry else ""
        if not told_as:
            severity = "warning" if record.error or record.outcome is Outcome.UNKNOWN else "info"
            remarks = (f"EMR refused: {record.error}" if record.error else "", record.note)
            told_as = self.announce(record.decision, entry, severity=severity, remarks=remarks, dry=dry)
        return replace(record, told_as=told_as)

    def give_up(self, intent: DecisionRecord, why: str) -> None:
        """Close an intent that was never ordered, and that nobody will carry out any more."""
        self.decisions.put(replace(intent, outcome=Outcome.FAILED, note=why))

    def close_unknown(self, intent: DecisionRecord, entry: RegistryEntry, why: str) -> None:
        """Close an intent of which nobody knows whether EMR took it; people are told, for it may have."""
        self.tell(replace(intent, outcome=Outcome.UNKNOWN, note=why), entry)

    def _was_refused(self, record: DecisionRecord) -> bool:
        """Whether people were told of the same refusal lately: it is tried again every few minutes."""
        since = record.decision.decided_at - REFUSAL_IS_TOLD_EVERY
        earlier = self.decisions.of_cluster(record.decision.cluster_id, since=since)
        return any(r.error == record.error and r.told_as for r in earlier if r.record_id != record.record_id)

    def _rehearsed_as(self, record: DecisionRecord) -> str:
        """Return as what a dry run told of the same order last time: it stands until something else is decided."""
        decision = record.decision
        earlier = (
            r
            for r in self.decisions.of_cluster(decision.cluster_id, limit=REHEARSALS_READ)
            if r.record_id != record.record_id and r.decision.kind is decision.kind
        )
        last = next((r for r in earlier if r.decision.changes_something), None)
        if last is None or last.outcome is not Outcome.DRY_RUN:
            return ""
        same = (last.decision.action, _counts(last.decision)) == (decision.action, _counts(decision))
        return last.told_as if same else ""

    def report(
        self,
        decision: Decision,
        entry: RegistryEntry,
        *,
        trigger: str,
        severity: str,
        outcome: Outcome = Outcome.DONE,
        evidence: Evidence | None = None,
        dry: bool = False,
    ) -> DecisionRecord:
        """Tell people of what needs no order, then record it: told twice at worst, never not at all."""
        told_as = self.announce(decision, entry, severity=severity, dry=dry)
        record = replace(record_of(decision, evidence, outcome, trigger=trigger, is_dry=dry), told_as=told_as)
        self.decisions.put(record)
        return record

    def reported(self, decision: Decision, *, trigger: str) -> DecisionRecord | None:
        """Return the record that proves that people were told of the same because of the same trigger."""
        what = (trigger, decision.kind, decision.action, decision.reason)
        since = decision.decided_at - COMES_AGAIN_WITHIN
        records = self.decisions.of_cluster(decision.cluster_id, since=since)
        same = (r for r in records if (r.trigger, r.decision.kind, r.decision.action, r.decision.reason) == what)
        return next((r for r in same if r.told_as), None)

    def tell_of_untold(self, entry: RegistryEntry, *, trigger: str, now: datetime) -> None:
        """Tell people of what a trigger led to lately, where the invocation that did it could not."""
        records = self.decisions.of_cluster(entry.cluster_id, since=now - COMES_AGAIN_WITHIN)
        for record in records:
            if record.trigger == trigger and record.outcome is Outcome.DONE:
                self.tell(record, entry)

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
        remarks: Sequence[str] = (),
        dry: bool = False,
    ) -> str:
        """Tell people what was decided and why; return the id of the notification."""
        return self.notifier.notify(notice_of(decision, entry, severity=severity, remarks=remarks, dry=dry))

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


def record_of(
    decision: Decision, evidence: Evidence | None, outcome: Outcome, *, trigger: str, is_dry: bool = False
) -> DecisionRecord:
    """Return the record of a decision, which is not written yet."""
    digest = hashlib.sha256(trigger.encode()).hexdigest()[:8]
    return DecisionRecord(
        record_id=f"{decision.decided_at:%Y-%m-%dT%H:%M:%S.%fZ}-{decision.kind}-{digest}",
        decision=decision,
        evidence=evidence,
        outcome=outcome,
        trigger=trigger,
        is_dry=is_dry,
    )


def _counts(decision: Decision) -> tuple[tuple[str, int], ...]:
    return tuple((target.group_id, target.count) for target in decision.targets)
