"""Answer one snapshot that a probe pushed: decide from stored state, and be done unless there is an order to give.

Most snapshots change nothing, and there is one every ten seconds: those take no lease, read neither
CloudWatch nor EMR, and write one small item at most.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from emr_autoscaler.domain.demand import read_demand
from emr_autoscaler.domain.errors import BusyError, ConflictError
from emr_autoscaler.domain.memory import RegistryEntry, TaskMemory
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.domain.recorded_look import is_news, may_act
from emr_autoscaler.domain.snapshot import (
    HEARTBEAT,
    Refusal,
    Snapshot,
    add_to_history,
    as_metrics,
    find_refusal,
    last_pushed_at,
)
from emr_autoscaler.domain.task_capacity import TaskVerdict
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.ports import Clock, Registry
from emr_autoscaler.usecases.capacity_look import Gather
from emr_autoscaler.usecases.journal import Journal
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.scale_task_groups import ScaleTaskGroups, recorded_look

KEPT_ANYWAY_AFTER = HEARTBEAT - timedelta(seconds=5)
"""A snapshot that says what the last one said is kept this long after it, to show that the probe lives."""

LOOK_WITHOUT_PUSH_AFTER = timedelta(minutes=5)
"""An unsettled cluster that pushes is looked at by its snapshots; the sweep looks only when they end."""


class Heed(StrEnum):
    """What became of a snapshot; a ``Refusal`` where it was not looked at for what it says."""

    NOT_ENROLLED = "NOT_ENROLLED"
    NO_POLICY = "NO_POLICY"
    BUSY = "BUSY"
    HELD = "HELD"
    ACTED = "ACTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotAnswer:
    """What became of a snapshot.

    Attributes:
        heed: In one word.
        record: The decision, where it stands in the journal.
        repeated: Whether it came before, and nothing was left to be done.
    """

    heed: Heed | Refusal
    record: DecisionRecord | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSnapshot:
    """One look at one cluster's task capacity, caused by a snapshot."""

    clock: Clock
    registry: Registry
    policy_in_force: PolicyInForce
    journal: Journal
    scale_task_groups: ScaleTaskGroups

    def __call__(self, cluster_id: str, told: Snapshot, *, trigger: str) -> SnapshotAnswer:
        """Decide on what a snapshot tells.

        Args:
            cluster_id: j-...
            told: The snapshot; one that is too old or was overtaken by another is dropped.
            trigger: What caused the look.
        """
        now = self.clock.now()
        entry = self.registry.get(cluster_id)
        if entry is None or not entry.is_active:
            return SnapshotAnswer(heed=Heed.NOT_ENROLLED)
        if told.at == last_pushed_at(entry.task.pushed):
            again = self._order(cluster_id, trigger, lambda *_: None)
            return replace(again, repeated=True) if again.heed is Refusal.OVERTAKEN else again
        refusal = find_refusal(told, entry.task.pushed, now)
        if refusal is not None:
            return SnapshotAnswer(heed=refusal)
        policy = self.policy_in_force(entry)
        if policy is None:
            return SnapshotAnswer(heed=Heed.NO_POLICY)
        evidence = self._gather(entry, policy, told, now)
        verdict = self.scale_task_groups.decide(evidence)
        if verdict.decision.changes_something and may_act(verdict.decision, entry.task.recorded):
            return self._act(cluster_id, told, trigger)
        return self._hold(entry, evidence, verdict, trigger)

    def _gather(self, entry: RegistryEntry, policy: Policy, told: Snapshot, now: datetime) -> TaskEvidence:
        """Put the evidence together; a snapshot that cannot be true is seen, but not remembered."""
        pushed = add_to_history(entry.task.pushed, told)
        metrics = as_metrics(entry.cluster_id, pushed, now=now)
        demand = read_demand(
            metrics, now=now, max_age=policy.task.metrics_max_age, container_mib=entry.task.container_mib
        )
        memory = entry.task if isinstance(demand, str) else replace(entry.task, pushed=pushed)
        return self.scale_task_groups.observe(entry, policy, metrics, now, memory=memory, nodes=told.nodes)

    def _act(self, cluster_id: str, told: Snapshot, trigger: str) -> SnapshotAnswer:
        """Look again under the lease, where nobody else orders, and carry out what is decided then."""

        def gather(entry: RegistryEntry, policy: Policy, now: datetime) -> TaskEvidence | None:
            refused = find_refusal(told, entry.task.pushed, now) is not None
            return None if refused else self._gather(entry, policy, told, now)

        return self._order(cluster_id, trigger, gather)

    def _order(self, cluster_id: str, trigger: str, gather: Gather[TaskEvidence]) -> SnapshotAnswer:
        """Finish what an earlier delivery of the same event left undone, if so, else look at what is gathered."""
        try:
            answer = self.scale_task_groups.answer(cluster_id, trigger=trigger, gather=gather)
        except BusyError:
            return SnapshotAnswer(heed=Heed.BUSY)  # the next snapshot is not far
        record = answer.record
        if record is None:
            return SnapshotAnswer(heed=Refusal.OVERTAKEN)
        # EMR had the last word: its groups may have been as they should be all along.
        heed = Heed.HELD if record.outcome is Outcome.HELD else Heed.ACTED
        return SnapshotAnswer(heed=heed, record=record, repeated=answer.repeated)

    def _hold(
        self, entry: RegistryEntry, evidence: TaskEvidence, verdict: TaskVerdict, trigger: str
    ) -> SnapshotAnswer:
        """Remember what is worth it; whoever changed the entry meanwhile saw more, and wins."""
        decision, record = verdict.decision, None
        self.scale_task_groups.note(evidence, verdict)
        withheld = decision.changes_something  # an order that may not be given again yet: it never was
        memory = evidence.memory if withheld else verdict.memory
        next_at = _postponed(entry.task.next_evaluation_at, memory.next_evaluation_at, evidence.now)
        memory = memory.due_at(next_at)
        if not withheld and is_news(decision, entry.task.recorded):
            record = self.journal.write(decision, evidence, Outcome.HELD, trigger=trigger)
            memory = replace(memory, recorded=recorded_look(decision, Outcome.HELD))
        if _is_worth_keeping(memory, entry.task):
            self._keep(entry, memory)
        return SnapshotAnswer(heed=Heed.HELD, record=record)

    def _keep(self, entry: RegistryEntry, memory: TaskMemory) -> None:
        moved = memory.next_evaluation_at != entry.task.next_evaluation_at
        with suppress(ConflictError):
            if moved:
                self.registry.put(replace(entry, task=memory))
            else:
                self.registry.put_task_memory(entry, memory)


def _postponed(due: datetime | None, wanted: datetime | None, now: datetime) -> datetime | None:
    """Return when the sweep is to look: later than any snapshot that is to come, and rarely another time."""
    latest = now + LOOK_WITHOUT_PUSH_AFTER
    if wanted is None or wanted > latest:
        return wanted
    return due if due is not None and now + LOOK_WITHOUT_PUSH_AFTER / 2 <= due <= latest else latest


def _is_worth_keeping(new: TaskMemory, old: TaskMemory) -> bool:
    """Whether the memory says more than that the same was told again."""
    if new.pushed:
        if not old.pushed:
            return True
        last, before = new.pushed[-1], old.pushed[-1]
        if last.at - before.at >= KEPT_ANYWAY_AFTER or not last.says_the_same_as(before):
            return True
    return new != replace(old, pushed=new.pushed, wanted=new.wanted, load=new.load)
