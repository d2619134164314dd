"""What was saved in the hours of a cluster: recorded hours and decisions gathered for domain/savings.py."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.costs import BilledInstance, CostLine, HourRecord, exact_sum
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.idleness import IdleEvidence
from emr_autoscaler.domain.interruption import NOTICE, InterruptionEvidence
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.domain.savings import (
    HOUR,
    SCALING_WINDOW,
    LostNode,
    Reaped,
    ReapingSaving,
    Savings,
    TaskCost,
    reaping_saving,
    replacements,
    scaling_saving,
)
from emr_autoscaler.ports import Costs, Decisions

_LAST_DECISIONS = 50
_DECISIONS_AROUND = 200


@dataclass(slots=True, kw_only=True)
class SavingsOfHours:
    """Finds what was saved in consecutive hours of one cluster, oldest first.

    Attributes:
        costs: The hours recorded before.
        decisions: The journal.
        entry: The cluster.
        live: Whether decisions are carried out; a rehearsal saves nothing.
        earlier: Task costs of the hours before, by hour; asked for when they are first needed.
    """

    costs: Costs
    decisions: Decisions
    entry: RegistryEntry
    live: bool
    earlier: dict[datetime, TaskCost] | None = None

    def __call__(
        self,
        hour: datetime,
        lines: Sequence[CostLine],
        instances: Sequence[BilledInstance],
        before: HourRecord | None,
    ) -> Savings | None:
        """Return what was saved in an hour; None where that is nothing.

        Args:
            hour: Its start.
            lines: Its cost lines.
            instances: The instances billed in it.
            before: The hour as it is recorded; its evidence of a scale-in stays.
        """
        task = task_cost(hour, lines)
        saved = Savings(
            scaling=scaling_saving(task, self._window(hour), scaled_in_at=self._scaled_in_at(hour, before)),
            reaping=None if (reaped := self._reaped(hour)) is None else self._reaping(reaped, hour),
            replacements=replacements(hour, self._lost(hour, instances)),
        )
        if self.earlier is not None:
            self.earlier[hour] = task
        return None if saved == Savings() else saved

    def _scaled_in_at(self, hour: datetime, before: HourRecord | None) -> datetime | None:
        if before is not None and before.savings is not None and before.savings.scaling is not None:
            return before.savings.scaling.scaled_in_at
        at = self.entry.task.last_scale_in_at
        return at if self.live and at is not None and hour - SCALING_WINDOW < at < hour + HOUR else None

    def _window(self, hour: datetime) -> Iterable[TaskCost]:
        """Return the task costs of the hours before, read once and only where a scale-in makes them matter."""
        at = self.entry.task.last_scale_in_at
        if self.earlier is None and (not self.live or at is None or at <= hour - SCALING_WINDOW):
            return ()
        if self.earlier is None:
            cluster = self.entry.cluster
            records = self.costs.hours_of_cluster(
                cluster.account_id, cluster.region, cluster.cluster_id, start=hour - SCALING_WINDOW, end=hour
            )
            self.earlier = {record.hour: task_cost(record.hour, record.lines) for record in records}
        return self.earlier.values()

    def _reaped(self, hour: datetime) -> Reaped | None:
        """Return the decision that ended the cluster in this hour because it was idle."""
        ended_at = self.entry.cluster.ended_at
        if ended_at is None or not hour <= ended_at < hour + HOUR:
            return None
        for record in self.decisions.of_cluster(self.entry.cluster_id, limit=_LAST_DECISIONS):
            decision, evidence = record.decision, record.evidence
            ours = decision.kind is DecisionKind.IDLE and decision.action is Action.TERMINATE
            if not ours or record.outcome is not Outcome.DONE:
                continue
            if decision.reason is not Reason.IDLE_CONFIRMED or not isinstance(evidence, IdleEvidence):
                return None  # overdue clusters may have had work: what they would have cost on is not known
            announced_at = evidence.memory.announced_at or decision.decided_at
            idle_for = decision.decided_at - announced_at + evidence.policy.idle_for
            return Reaped(decision_id=record.record_id, decided_at=decision.decided_at, idle_for=idle_for)
        return None

    def _reaping(self, reaped: Reaped, hour: datetime) -> ReapingSaving | None:
        cluster = self.entry.cluster
        full = hour - HOUR
        if cluster.created_at > full:
            return None  # no full hour to go by
        record = self.costs.get_hour(cluster.account_id, cluster.region, cluster.cluster_id, full)
        return None if record is None else reaping_saving(reaped, full, record.effective_cost_usd)

    def _lost(self, hour: datetime, instances: Sequence[BilledInstance]) -> list[LostNode]:
        gone = {
            i.ec2_instance_id: i.ended_at
            for i in instances
            if i.interrupted
            and i.role is Role.TASK
            and i.ended_at is not None
            and hour <= i.ended_at < hour + HOUR
        }
        if not gone:
            return []
        since = min(gone.values()) - 2 * NOTICE - timedelta(minutes=1)
        ordered = _replaced(self.decisions.of_cluster(self.entry.cluster_id, since=since, limit=_DECISIONS_AROUND))
        return [
            LostNode(ended_at=ended_at, decision_id=ordered.get(instance_id, ""))
            for instance_id, ended_at in sorted(gone.items())
        ]


def task_cost(hour: datetime, lines: Iterable[CostLine]) -> TaskCost:
    """Add up what the task nodes of an hour cost."""
    of_task = [line for line in lines if line.role is Role.TASK]
    return TaskCost(
        hour=hour,
        list_usd=exact_sum(line.list_cost_usd for line in of_task),
        effective_usd=exact_sum(line.effective_cost_usd for line in of_task),
    )


def _replaced(records: Iterable[DecisionRecord]) -> Mapping[str, str]:
    """Return the decisions that ordered another instance, by the instance that was lost."""
    return {
        record.evidence.ec2_instance_id: record.record_id
        for record in records
        if isinstance(record.evidence, InterruptionEvidence)
        and record.decision.action is Action.REPLACE
        and record.outcome is Outcome.DONE
    }
