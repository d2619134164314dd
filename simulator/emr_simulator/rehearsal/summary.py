"""What came of a rehearsal, as figures: pure arithmetic on what was recorded and seen. Printing is report.py's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from emr_autoscaler.domain.costs import HourRecord, exact_sum
from emr_autoscaler.domain.decision import Action, DecisionKind, GroupTarget
from emr_autoscaler.domain.fleets import FleetTarget
from emr_autoscaler.domain.interruption import InterruptionEvidence
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_simulator.rehearsal.cost_sums import (
    component_costs,
    group_costs,
    node_hours,
    static_usd,
    total,
    usd_per_hour,
)
from emr_simulator.rehearsal.timeline import Mark, Moment

CENT = Decimal("0.01")
_RESIZES = frozenset({DecisionKind.TASK, DecisionKind.CORE})
_ANSWERS_LATER = frozenset({Action.SCALE_OUT, Action.REBALANCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One decision that was more than a hold.

    Attributes:
        orders: Counts ordered, in words; empty for none.
        change: Nodes added, or taken away where negative.
        done: Whether EMR accepted it, or nothing was to be ordered.
    """

    at: datetime
    cluster: str
    kind: str
    action: str
    reason: str
    orders: str
    change: int
    detail: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """One warned instance of a cluster and what was done about it.

    Attributes:
        group: The group it stood in, in words.
        answer: Action and reason of the decision; empty where none was made.
        replacement: What was ordered for it, at once or with the next look; empty where nothing was.
        is_free: Whether EC2 charges nothing for it: it went in its first hour.
    """

    at: datetime
    cluster: str
    ec2_instance_id: str
    group: str
    answer: str
    replacement: str
    is_free: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """One cluster that was ended for being idle.

    Attributes:
        usd_per_hour: What it cost in an hour, from its own cost lines.
    """

    cluster: str
    announced_at: datetime | None
    ended_at: datetime
    reason: str
    usd_per_hour: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterBill:
    """What was recorded of a cluster, beside AWS's own bill of it.

    Attributes:
        recorded_usd: Sum of its cost lines in DynamoDB; None where it is not enrolled.
        ledger_usd: The World's own ledger.
    """

    cluster: str
    recorded_usd: Decimal | None
    ledger_usd: Decimal

    @property
    def agrees(self) -> bool:
        """Whether both are the same to the cent."""
        return self.recorded_usd is not None and to_cents(self.recorded_usd) == to_cents(self.ledger_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything that is shown at the end.

    Attributes:
        node_hours: By market.
        group_costs: (cluster, group in words, hour) to USD.
        component_costs: (hour, component) to USD, all clusters together.
        static_usd: The enrolled clusters with the scaled one's task nodes at their maximum, on demand, throughout.
    """

    deeds: tuple[Deed, ...]
    interruptions: tuple[Interruption, ...]
    reaped: tuple[Reaped, ...]
    bills: tuple[ClusterBill, ...]
    node_hours: Mapping[str, Decimal]
    group_costs: Mapping[tuple[str, str, datetime], Decimal]
    component_costs: Mapping[tuple[datetime, str], Decimal]
    recorded_usd: Decimal
    ledger_usd: Decimal
    list_usd: Decimal
    static_usd: Decimal
    marks: tuple[Mark, ...]

    @property
    def spot_share(self) -> Decimal:
        """Share (0-1) of the node-hours that were spot."""
        total = sum(self.node_hours.values(), Decimal(0))
        return self.node_hours.get("SPOT", Decimal(0)) / total if total else Decimal(0)


def to_cents(usd: Decimal) -> Decimal:
    """Round to cents, for people."""
    return usd.quantize(CENT)


def summarise(
    *,
    decisions: Mapping[str, Sequence[DecisionRecord]],
    hours: Mapping[str, Sequence[HourRecord]],
    enrolled: frozenset[str],
    ledger_usd: Mapping[str, Decimal],
    moments: Sequence[Moment],
    warned: Mapping[str, datetime],
    free: frozenset[str],
    marks: Sequence[Mark],
    scaled: str,
    maximum_task_nodes: int,
) -> Summary:
    """Put together what was recorded (decisions, hours) and what was seen (ledger, moments, warnings, marks).

    Args:
        decisions: By cluster, oldest first.
        hours: Cost records by cluster, oldest first.
        enrolled: Clusters in the registry.
        ledger_usd: AWS's own bill by cluster, over the same hours.
        moments: One a minute, oldest first.
        warned: EC2 ids of warned instances of clusters, with the time.
        free: Those of them that went in their first hour.
        marks: Incidents.
        scaled: The cluster with task groups.
        maximum_task_nodes: Its policy's upper bound.
    """
    labels = {
        group.group_id: group.label
        for moment in moments[-1:]
        for cluster in moment.clusters.values()
        for group in cluster.groups
    }
    deeds = sorted(
        (
            _deed(name, record, labels)
            for name, records in decisions.items()
            for record in records
            if _acts(record)
        ),
        key=lambda deed: deed.at,
    )
    bills = tuple(
        ClusterBill(
            cluster=name,
            recorded_usd=total(hours.get(name, ())) if name in enrolled else None,
            ledger_usd=usd,
        )
        for name, usd in ledger_usd.items()
    )
    everything = [record for records in hours.values() for record in records]
    recorded = total(everything)
    return Summary(
        deeds=tuple(deeds),
        interruptions=tuple(
            _interruption(instance_id, at, decisions, deeds, labels, is_free=instance_id in free)
            for instance_id, at in warned.items()
        ),
        reaped=tuple(_reaped(deeds, hours, moments)),
        bills=bills,
        node_hours=node_hours(everything),
        group_costs=group_costs(hours, labels),
        component_costs=component_costs(everything),
        recorded_usd=recorded,
        ledger_usd=sum((bill.ledger_usd for bill in bills if bill.recorded_usd is not None), Decimal(0)),
        list_usd=exact_sum(record.list_cost_usd for record in everything),
        static_usd=static_usd(recorded, hours.get(scaled, ()), maximum_task_nodes),
        marks=tuple(marks),
    )


def _acts(record: DecisionRecord) -> bool:
    return record.decision.action is not Action.HOLD


def _deed(cluster: str, record: DecisionRecord, labels: Mapping[str, str]) -> Deed:
    decision = record.decision
    return Deed(
        at=decision.decided_at,
        cluster=cluster,
        kind=decision.kind.value,
        action=decision.action.value,
        reason=decision.reason.value,
        orders=_in_words(decision.targets, labels),
        change=sum(target.count - target.previous_count for target in decision.targets),
        detail=record.error or decision.detail,
        done=record.outcome in {Outcome.DONE, Outcome.HELD},
    )


def _in_words(targets: Iterable[GroupTarget | FleetTarget], labels: Mapping[str, str]) -> str:
    return ", ".join(f"{labels.get(t.group_id, t.group_id)} {t.previous_count} -> {t.count}" for t in targets)


def _interruption(
    instance_id: str,
    at: datetime,
    decisions: Mapping[str, Sequence[DecisionRecord]],
    deeds: Sequence[Deed],
    labels: Mapping[str, str],
    *,
    is_free: bool,
) -> Interruption:
    for cluster, records in decisions.items():
        for record in records:
            evidence = record.evidence
            if not isinstance(evidence, InterruptionEvidence) or evidence.ec2_instance_id != instance_id:
                continue
            decision = record.decision
            orders = _in_words(decision.targets, labels)
            if not orders:
                later = (d for d in deeds if d.cluster == cluster and d.at >= at and d.action in _ANSWERS_LATER)
                orders = next((f"at {d.at:%H:%M}: {d.orders}" for d in later), "")
            return Interruption(
                at=at,
                cluster=cluster,
                ec2_instance_id=instance_id,
                group=labels.get(evidence.group_id, evidence.group_id),
                answer=f"{decision.action}, {decision.reason}",
                replacement=orders,
                is_free=is_free,
            )
    return Interruption(
        at=at, cluster="", ec2_instance_id=instance_id, group="", answer="", replacement="", is_free=is_free
    )


def _reaped(
    deeds: Sequence[Deed], hours: Mapping[str, Sequence[HourRecord]], moments: Sequence[Moment]
) -> Iterable[Reaped]:
    for end in (deed for deed in deeds if deed.action == Action.TERMINATE and deed.done):
        told = [d.at for d in deeds if d.cluster == end.cluster and d.action == Action.ANNOUNCE and d.at <= end.at]
        before = [moment.clusters[end.cluster] for moment in moments if moment.at <= end.at]
        rate = usd_per_hour(hours.get(end.cluster, ()), before[-1]) if before else Decimal(0)
        yield Reaped(
            cluster=end.cluster,
            announced_at=told[-1] if told else None,
            ended_at=end.at,
            reason=end.reason,
            usd_per_hour=rate,
        )


def resizes(deeds: Iterable[Deed], kind: DecisionKind) -> tuple[Deed, ...]:
    """Return the resizes of task or core groups that EMR accepted."""
    return tuple(deed for deed in deeds if deed.kind == kind and kind in _RESIZES and deed.done and deed.orders)
