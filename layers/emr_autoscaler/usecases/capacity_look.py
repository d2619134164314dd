"""How every look at a cluster's capacity goes: lease, entry, policy, unfinished intent, decision, order.

What is looked at, how it is decided and what is remembered is said by scale_task_groups.py and
resize_core_group.py.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from emr_autoscaler.domain.core_scene import CoreEvidence
from emr_autoscaler.domain.decision import Decision, DecisionKind
from emr_autoscaler.domain.errors import BusyError
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.operator_change import OperatorChange
from emr_autoscaler.domain.planned_groups import without_planned, without_planned_fleets
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.ports import (
    Clock,
    ClusterActuator,
    ClusterReader,
    EvaluationQueue,
    Leases,
    MetricsReader,
    Registry,
)
from emr_autoscaler.usecases.follow_groups import FollowGroups
from emr_autoscaler.usecases.journal import INTENT_IS_LOST_AFTER, Journal
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.registry_updates import update_entry
from emr_autoscaler.usecases.unfinished_intents import NEVER_ORDERED, OVERTAKEN, Progress, progress_of


class Verdict(Protocol):
    """What a decision function of capacity returns."""

    @property
    def decision(self) -> Decision:
        """What was decided."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a look led to.

    Attributes:
        record: What was decided, if anything.
        repeated: Whether an earlier delivery of the same message had led to it, and people were told.
    """

    record: DecisionRecord | None = None
    repeated: bool = False


EvidenceT = TypeVar("EvidenceT", TaskEvidence, CoreEvidence)
VerdictT = TypeVar("VerdictT", bound=Verdict)
Gather = Callable[[RegistryEntry, Policy, datetime], EvidenceT | None]
"""Puts evidence together from the entry as it stands under the lease; None where the look is not needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityLook(ABC, Generic[EvidenceT, VerdictT]):
    """One look at one cluster's capacity of one kind."""

    kind: ClassVar[DecisionKind]
    evidence_type: ClassVar[type[Any]]
    metric_names: ClassVar[Sequence[MetricName]]
    window: ClassVar[timedelta]

    clock: Clock
    reader: ClusterReader
    actuators: Mapping[Mode, ClusterActuator]
    metrics: MetricsReader
    registry: Registry
    leases: Leases
    queue: EvaluationQueue
    policy_in_force: PolicyInForce
    journal: Journal
    follow_groups: FollowGroups

    @abstractmethod
    def decide(self, evidence: EvidenceT) -> VerdictT:
        """Call the decision function."""

    @abstractmethod
    def observe(self, entry: RegistryEntry, policy: Policy, metrics: ClusterMetrics, now: datetime) -> EvidenceT:
        """Put together what the decision sees, from what is stored and ``metrics``."""

    @abstractmethod
    def describe_again(self, evidence: EvidenceT) -> EvidenceT:
        """Return the evidence with the groups or fleets as EMR itself describes them now."""

    def check_again(self, evidence: EvidenceT) -> EvidenceT:
        """Return the evidence with everything that an order is checked against as it is now."""
        return self.describe_again(evidence)

    def note(self, evidence: EvidenceT, verdict: VerdictT) -> None:
        """Keep what the look found out beyond its own cluster."""

    @abstractmethod
    def remembered(
        self, entry: RegistryEntry, evidence: EvidenceT, verdict: VerdictT, outcome: Outcome
    ) -> RegistryEntry:
        """Return the entry with what the next look should know."""

    def read_metrics(self, entry: RegistryEntry, now: datetime) -> ClusterMetrics:
        """Read the metrics of the cluster."""
        return self.read_cloudwatch(entry.cluster_id, now)

    def read_cloudwatch(self, cluster_id: str, now: datetime) -> ClusterMetrics:
        """Read what CloudWatch shows of the cluster."""
        return self.metrics.read_metrics([cluster_id], self.metric_names, start=now - self.window, end=now)[
            cluster_id
        ]

    def now_or_queued(self, cluster_id: str, *, trigger: str) -> DecisionRecord | None:
        """Decide now, or queue the look where another invocation holds the cluster."""
        try:
            return self(cluster_id, trigger=trigger)
        except BusyError:
            self.queue.request(cluster_id, self.kind, now=self.clock.now(), cause=trigger)
            return None

    def __call__(
        self,
        cluster_id: str,
        *,
        trigger: str,
        wait: timedelta = timedelta(0),
        gather: Gather[EvidenceT] | None = None,
    ) -> DecisionRecord | None:
        """Decide and act, as ``answer`` does; return what was decided, if anything."""
        return self.answer(cluster_id, trigger=trigger, wait=wait, gather=gather).record

    def answer(
        self,
        cluster_id: str,
        *,
        trigger: str,
        wait: timedelta = timedelta(0),
        gather: Gather[EvidenceT] | None = None,
    ) -> Answer:
        """Decide and act.

        Args:
            cluster_id: j-...
            trigger: What caused the look.
            wait: How long to wait for another invocation to let go of the cluster.
            gather: Where evidence comes from other than stored state and CloudWatch.

        Returns:
            What was decided; nothing for a cluster that is not enrolled, has ended, or has no usable policy,
            and where ``gather`` found the look no longer needed.

        Raises:
            BusyError: Another invocation still holds the cluster after ``wait``.
        """
        with self.leases.hold(cluster_id, owner=trigger, wait=wait):
            entry = self.registry.get(cluster_id)
            if entry is None or not entry.is_active:
                return Answer()
            policy = self.policy_in_force(entry)
            if policy is None:
                return Answer()
            earlier = self.journal.led_to(cluster_id, self.kind, trigger=trigger, now=self.clock.now())
            if earlier is not None and earlier.outcome is not Outcome.INTENDED:
                # What failed then, if anything, came after the order.
                return Answer(record=self.journal.tell(earlier, entry), repeated=bool(earlier.told_as))
            if earlier is not None and earlier.decision.kind is self.kind:
                settled = self.settle(entry, policy, earlier)
                if settled is not None and settled.trigger == trigger:
                    return Answer(record=settled)
                entry = self.registry.get(cluster_id) or entry
            evidence = (gather or self._gather)(entry, policy, self.clock.now())
            return Answer(record=None if evidence is None else self._look(entry, policy, evidence, trigger))

    def settle(self, entry: RegistryEntry, policy: Policy, intent: DecisionRecord) -> DecisionRecord | None:
        """Finish what a died invocation left; the caller holds the lease.

        Returns:
            The record; None where it is too old to be carried out now, or somebody has ordered since.
        """
        if not isinstance(intent.evidence, self.evidence_type):
            return None
        evidence: EvidenceT = intent.evidence
        asked_at, progress = self.clock.now(), Progress.OPEN
        if not (intent.is_dry and self.actuators[policy.mode].is_dry):
            evidence = self.describe_again(evidence)
            self._note_listing(evidence, asked_at)
            progress = progress_of(intent.decision, evidence.groups, evidence.fleets)
        if progress is Progress.OVERTAKEN:
            self.journal.close_unknown(intent, entry, OVERTAKEN)
            return None
        if progress is Progress.OPEN and asked_at - intent.decision.decided_at > INTENT_IS_LOST_AFTER:
            self.journal.give_up(intent, NEVER_ORDERED)
            return None
        verdict = self.decide(intent.evidence)
        self.note(evidence, verdict)
        remember = self._rememberer(entry.cluster_id, evidence, verdict)
        return self.journal.finish(
            intent, entry, self.actuators[policy.mode], remember=remember, is_there=progress is Progress.THERE
        )

    def remember_order(self, intent: DecisionRecord) -> None:
        """Remember an order that EMR is known to have, as when it was given; the caller holds the lease."""
        if not isinstance(intent.evidence, self.evidence_type):
            return
        evidence: EvidenceT = intent.evidence
        verdict = self.decide(evidence)

        def change(entry: RegistryEntry) -> RegistryEntry:
            after = self.remembered(entry, evidence, verdict, Outcome.DONE)
            return replace(entry, task=after.task, core=after.core)  # of groups the entry knows more

        update_entry(self.registry, intent.decision.cluster_id, change)

    def _note_listing(self, evidence: EvidenceT, asked_at: datetime) -> tuple[OperatorChange, ...]:
        """Learn from a listing what others ordered since: it stands."""
        return self.follow_groups.note_listing(
            evidence.cluster_id,
            without_planned(evidence.groups),
            without_planned_fleets(evidence.fleets),
            at=asked_at,
        )

    def _gather(self, entry: RegistryEntry, policy: Policy, now: datetime) -> EvidenceT:
        return self.observe(entry, policy, self.read_metrics(entry, now), now)

    def _look(self, entry: RegistryEntry, policy: Policy, evidence: EvidenceT, trigger: str) -> DecisionRecord:
        verdict = self.decide(evidence)
        if verdict.decision.changes_something:
            # The stored snapshot said act; EMR itself has the last word before anything is ordered.
            asked_at = self.clock.now()
            evidence = self.check_again(evidence)
            evidence = replace(evidence, operator_changes=self._note_listing(evidence, asked_at))
            verdict = self.decide(evidence)
        self.note(evidence, verdict)
        return self.journal.carry_out(
            verdict.decision,
            evidence,
            entry,
            self.actuators[policy.mode],
            trigger=trigger,
            remember=self._rememberer(entry.cluster_id, evidence, verdict),
        )

    def _rememberer(self, cluster_id: str, evidence: EvidenceT, verdict: VerdictT) -> Callable[[Outcome], None]:
        def remember(outcome: Outcome) -> None:
            if outcome is Outcome.INTENDED:
                return  # nothing is ordered yet
            update_entry(
                self.registry,
                cluster_id,
                lambda entry: self.remembered(entry, evidence, verdict, outcome),
            )

        return remember
