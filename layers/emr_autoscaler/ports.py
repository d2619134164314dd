"""What use cases need of the world outside, as protocols.

adapters/ implements them on AWS, emr_simulator on a simulated world; one contract suite holds both
to the same words. Every method may raise ``UnavailableError`` (throttled or failing for now); other
errors are named.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from emr_autoscaler.domain.budgets import Budget
from emr_autoscaler.domain.cluster import (
    Cluster,
    ClusterState,
    ClusterSummary,
    Instance,
    InstanceGroup,
    Market,
    Role,
)
from emr_autoscaler.domain.cost_history import Correction, HourRevision, InstanceCharges, MonthClose
from emr_autoscaler.domain.costs import HourRecord, MonthTotal, Price, PriceKey
from emr_autoscaler.domain.decision import DecisionKind, GroupTarget
from emr_autoscaler.domain.focus import FocusRow
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, RegistryEntry
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.domain.reconciliation import BilledAmount, BillKey
from emr_autoscaler.domain.record import DecisionRecord
from emr_autoscaler.domain.statement import Statement


class Clock(Protocol):
    """Where ``now`` comes from."""

    def now(self) -> datetime:
        """Return the current time, aware UTC."""
        ...


# --------------------------------------------------------------------------- EMR


class ClusterReader(Protocol):
    """EMR, looked at. Each call costs quota (facts: 10 burst, 1 or 0.5 a second)."""

    def describe_cluster(self, cluster_id: str) -> Cluster:
        """Describe one cluster, ended ones included. Raises NotFoundError."""
        ...

    def list_clusters(
        self, states: Sequence[ClusterState], *, created_after: datetime | None = None
    ) -> tuple[ClusterSummary, ...]:
        """List the clusters that are in one of ``states``, newest first."""
        ...

    def list_instance_groups(self, cluster_id: str) -> tuple[InstanceGroup, ...]:
        """List a cluster's groups. Raises NotFoundError; RefusedError for clusters with fleets."""
        ...

    def list_instances(self, cluster_id: str) -> tuple[Instance, ...]:
        """List a cluster's instances, those that ended in the last 30 days included."""
        ...

    def has_unfinished_steps(self, cluster_id: str) -> bool:
        """Return whether a step is pending, being cancelled or running. Raises NotFoundError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTaskGroup:
    """A task group to be created, at zero instances."""

    name: str
    market: Market
    instance_type: str


class ClusterActuator(Protocol):
    """EMR, acted on. The dry-run actuator accepts the same orders and does nothing."""

    @property
    def is_dry(self) -> bool:
        """Whether orders are only accepted, not carried out."""
        ...

    def resize_groups(self, cluster_id: str, targets: Sequence[GroupTarget]) -> None:
        """Order absolute counts in one atomic call, gracefully. Repeating it is harmless.

        Raises:
            NotFoundError: The cluster or a group does not exist.
            RefusedError: EMR refuses: below replication, a group that may not be resized, ...
        """
        ...

    def add_task_groups(self, cluster_id: str, groups: Sequence[NewTaskGroup]) -> tuple[str, ...]:
        """Create task groups at zero instances (at most 5 a call); return their ids in order."""
        ...

    def terminate_cluster(self, cluster_id: str) -> None:
        """End a cluster. Raises RefusedError while termination protection is on."""
        ...


# --------------------------------------------------------------------------- CloudWatch


class MetricsReader(Protocol):
    """CloudWatch metrics, read in batches."""

    def read_metrics(
        self,
        cluster_ids: Sequence[str],
        names: Sequence[MetricName],
        *,
        start: datetime,
        end: datetime,
    ) -> Mapping[str, ClusterMetrics]:
        """Return what is published of ``names`` in [start, end), for every cluster asked for.

        A cluster without data gets an entry without points.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSpec:
    """An alarm on one metric of one cluster.

    Attributes:
        name: Unique in account and region; carries the stack's prefix, the topic and the cluster.
        cluster_id: The JobFlowId dimension.
        metric: The metric.
        comparison: GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanThreshold,
            LessThanOrEqualToThreshold.
        threshold: In the metric's own unit.
        period: Length of one evaluation period.
        periods: How many of them must be over the threshold.
        description: Why it exists, for people in the console.
    """

    name: str
    cluster_id: str
    metric: MetricName
    comparison: str
    threshold: float
    period: timedelta = timedelta(minutes=5)
    periods: int = 1
    description: str = ""


class Alarms(Protocol):
    """CloudWatch alarms of enrolled clusters. Missing data is never treated as breaching."""

    def put_alarms(self, alarms: Sequence[AlarmSpec]) -> None:
        """Create or update alarms."""
        ...

    def delete_alarms(self, names: Sequence[str]) -> None:
        """Delete alarms; unknown names are ignored."""
        ...

    def list_alarms(self, prefix: str) -> tuple[str, ...]:
        """Return the names of all alarms that start with ``prefix``, sorted."""
        ...


# --------------------------------------------------------------------------- EC2 and prices


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeInstance:
    """What EC2 knows of an instance that EMR started, or of a foreign one.

    Attributes:
        ec2_instance_id: i-...
        cluster_id: From the tag aws:elasticmapreduce:job-flow-id; None for foreign instances.
        role: From the tag aws:elasticmapreduce:instance-group-role; None for foreign instances.
        instance_type: For instance m5.xlarge.
        availability_zone: Where it runs.
        market: How it was bought.
        launched_at: EC2's LaunchTime.
        interrupted: Whether the state reason proves a spot interruption.
    """

    ec2_instance_id: str
    cluster_id: str | None
    role: Role | None
    instance_type: str
    availability_zone: str
    market: Market
    launched_at: datetime
    interrupted: bool


class Compute(Protocol):
    """EC2, looked at."""

    def find_instances(self, ec2_instance_ids: Sequence[str]) -> tuple[ComputeInstance, ...]:
        """Describe the instances that EC2 still knows; unknown ids are left out."""
        ...

    def find_cluster_instances(self, cluster_id: str) -> tuple[ComputeInstance, ...]:
        """Describe every instance of a cluster that EC2 still knows, by its system tag."""
        ...

    def spot_prices(
        self,
        instance_types: Sequence[str],
        availability_zone: str,
        *,
        start: datetime,
        end: datetime,
    ) -> tuple[Price, ...]:
        """Return the price steps of [start, end), the one in force at ``start`` included."""
        ...


class PriceList(Protocol):
    """The published price list (EMR fee, EC2 on demand, EBS)."""

    def look_up(self, keys: Sequence[PriceKey]) -> tuple[Price, ...]:
        """Return one price per key.

        Raises:
            PriceMissingError: None is published, or more than one is left: never guessed.
        """
        ...


# --------------------------------------------------------------------------- what we keep


class Registry(Protocol):
    """Enrolled clusters."""

    def get(self, cluster_id: str) -> RegistryEntry | None:
        """Return the entry, or None where the cluster is not enrolled."""
        ...

    def put(self, entry: RegistryEntry) -> RegistryEntry:
        """Write an entry and return it with its new version.

        Raises:
            ConflictError: The stored version is not the one this entry was read with.
        """
        ...

    def all(self) -> tuple[RegistryEntry, ...]:
        """Return every entry whose costs are not closed yet."""
        ...

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of clusters whose next evaluation is due, without reading the others."""
        ...


class Decisions(Protocol):
    """The journal of decisions."""

    def put(self, record: DecisionRecord) -> None:
        """Write a record; the same record_id replaces (intent becomes outcome)."""
        ...

    def of_cluster(
        self, cluster_id: str, *, since: datetime | None = None, limit: int = 100
    ) -> tuple[DecisionRecord, ...]:
        """Return a cluster's records, newest first."""
        ...

    def unfinished(self, before: datetime) -> tuple[DecisionRecord, ...]:
        """Return the intents decided before ``before`` that have no outcome yet."""
        ...


class Pools(Protocol):
    """Health of capacity pools."""

    def get(self, keys: Sequence[PoolKey]) -> tuple[PoolHealth, ...]:
        """Return the health of each key, in order; pools never seen are healthy."""
        ...

    def put(self, health: PoolHealth) -> None:
        """Write a pool's health."""
        ...


class Leases(Protocol):
    """One invocation at a time for each cluster."""

    def hold(self, cluster_id: str, *, owner: str, wait: timedelta = timedelta(0)) -> AbstractContextManager[None]:
        """Hold the cluster for the length of the ``with`` block.

        Raises:
            BusyError: It is still taken after ``wait``.
        """
        ...


class Policies(Protocol):
    """Policy documents."""

    def get(self, name: str) -> Policy:
        """Return a policy.

        Raises:
            NotFoundError: There is none of this name.
            InvalidPolicyError: It cannot be used; names the field and the fix.
        """
        ...

    def last_good(self, name: str) -> Policy | None:
        """Return the last version that could be used, or None if there never was one."""
        ...


class Costs(Protocol):
    """Cost records. Retained; finance reads them."""

    def get_hour(self, account_id: str, region: str, cluster_id: str, hour: datetime) -> HourRecord | None:
        """Return the latest revision of a cluster-hour, corrections included."""
        ...

    def put_hour(self, record: HourRecord, instances: Sequence[InstanceCharges] = ()) -> HourRecord:
        """Write an hour with its history and move its rollup by the difference, in one transaction.

        Writing what is already stored changes nothing. An hour of a closed month stays as it is: the
        difference is booked as a correction in the month of ``recorded_at``. Returns the record as
        stored, with its revision. Raises ConflictError where somebody wrote the hour in between.
        """
        ...

    def revisions(
        self, account_id: str, region: str, cluster_id: str, hour: datetime, *, latest_only: bool = False
    ) -> tuple[HourRevision, ...]:
        """Return every revision of an hour with its instances, or the latest one only, oldest first."""
        ...

    def close_month(self, close: MonthClose) -> MonthClose:
        """Close a month of an account, or return how it was closed before: once closed it stays."""
        ...

    def month_close(self, account_id: str, month: str) -> MonthClose | None:
        """Return when a month (2026-10) of an account was closed, or None while it is open."""
        ...

    def corrections_of_cost_centre(self, cost_centre: str, month: str) -> tuple[Correction, ...]:
        """Return the corrections booked for a cost centre in a month (2026-11), by corrected hour."""
        ...

    def corrections_of_account(self, account_id: str, month: str) -> tuple[Correction, ...]:
        """Return the corrections booked in an account and month (2026-11), by corrected hour."""
        ...

    def hours_of_cluster(
        self,
        account_id: str,
        region: str,
        cluster_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> tuple[HourRecord, ...]:
        """Return a cluster's hours in [start, end) as they were booked, oldest first."""
        ...

    def hours_of_cost_centre(
        self, cost_centre: str, month: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[HourRecord, ...]:
        """Return the hours of a cost centre in a month (2026-10) and in [start, end), oldest first."""
        ...

    def hours_of_account(
        self, account_id: str, month: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[HourRecord, ...]:
        """Return the hours of an account in a month (2026-10) and in [start, end), oldest first."""
        ...

    def month_totals(self, month: str) -> tuple[MonthTotal, ...]:
        """Return the rollups of every cost centre in a month (2026-10), by name."""
        ...

    def month_total(self, cost_centre: str, month: str) -> MonthTotal | None:
        """Return the rollup of a cost centre and month (2026-10), or None."""
        ...

    def put_prices(self, prices: Sequence[Price]) -> None:
        """Add prices to the price book; the same key and date replaces."""
        ...

    def prices(self, keys: Sequence[PriceKey], *, start: datetime, end: datetime) -> tuple[Price, ...]:
        """Return every price of ``keys`` in force at some time in [start, end)."""
        ...


class BillingExport(Protocol):
    """AWS's own bill, as its export tells it."""

    def amounts(self, month: str) -> Mapping[BillKey, BilledAmount]:
        """Return what a month (2026-10) was billed by cluster, hour and component; empty without an export.

        Raises:
            InvalidInputError: The export lacks a column that is needed; names it.
        """
        ...


class Budgets(Protocol):
    """Budgets of cost centres, and what people were told of them."""

    def all(self) -> tuple[Budget, ...]:
        """Return every budget. Raises InvalidPolicyError where the document cannot be used."""
        ...

    def told(self, cost_centre: str, month: str) -> frozenset[str]:
        """Return the thresholds that people were told of."""
        ...

    def note_told(self, cost_centre: str, month: str, thresholds: frozenset[str]) -> None:
        """Note the thresholds that people were told of."""
        ...


class Statements(Protocol):
    """Files for finance: the FOCUS export and the monthly statements. Writing one again replaces it."""

    def put_focus_day(self, account_id: str, region: str, day: date, rows: Iterable[FocusRow]) -> str:
        """Write the export of one UTC day; return where it lies."""
        ...

    def put_statement(self, statement: Statement) -> str:
        """Write a statement as CSV and as a page that prints; return where the page lies."""
        ...

    def put_index(self, account_id: str, month: str, statements: Sequence[Statement]) -> str:
        """Write the page that lists a month's statements, last of all: it marks the month as issued."""
        ...

    def is_issued(self, account_id: str, month: str) -> bool:
        """Return whether the index of a month has been written."""
        ...


# --------------------------------------------------------------------------- messages out


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Something people should know.

    Attributes:
        subject: One line, at most 100 characters.
        body: A few lines: what, why, and what to do if it is wrong.
        attributes: For subscription filters: kind, reason, cluster_id, policy, severity.
    """

    subject: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class Notifier(Protocol):
    """Tells people."""

    def notify(self, notification: Notification) -> None:
        """Publish a notification."""
        ...


class EvaluationQueue(Protocol):
    """Asks for another look at a cluster: FIFO, the cluster is the message group."""

    def request(self, cluster_id: str, kind: DecisionKind, *, now: datetime, cause: str) -> None:
        """Queue an evaluation of task (TASK) or core (CORE) capacity; those of a minute are one."""
        ...
