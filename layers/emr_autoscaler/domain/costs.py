"""What finance records are made of: billed instances, lines, hours, month totals.

Prices are in price_book.py; how an hour is traced and corrected lives in cost_history.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from enum import StrEnum

from emr_autoscaler.domain.cluster import Market, Role, Volume
from emr_autoscaler.domain.price_book import Component
from emr_autoscaler.domain.savings import Savings

UNALLOCATED = "UNALLOCATED"
"""The cost centre of clusters that name none."""


_EXACT_DIGITS = 200
"""More digits than any sum of stored amounts (38 digits each) can have."""


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Add amounts without rounding; the ambient context would keep 28 digits of the sum only."""
    with localcontext() as context:
        context.prec = _EXACT_DIGITS
        return sum(amounts, Decimal(0))


class RecordStatus(StrEnum):
    """How sure a figure is."""

    ESTIMATED = "ESTIMATED"
    RECONCILED = "RECONCILED"


class StartSource(StrEnum):
    """Where the start of an instance's bill is known from."""

    EC2_LAUNCH_TIME = "EC2_LAUNCH_TIME"
    EMR_CREATION_TIME = "EMR_CREATION_TIME"


class EndSource(StrEnum):
    """Where the end of an instance's bill is known from."""

    EC2_SHUTDOWN_TIME = "EC2_SHUTDOWN_TIME"
    EMR_END_TIME = "EMR_END_TIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledInstance:
    """One instance as AWS bills it.

    Attributes:
        ec2_instance_id: i-...
        group_id: ig-..., or if-... of a fleet.
        role: MASTER, CORE or TASK.
        market: How it was bought.
        instance_type: For instance m5.xlarge.
        availability_zone: Where it runs.
        started_at: Billing start: EC2's LaunchTime where seen, else EMR's creation time.
        start_source: Which of the two it is.
        ended_at: Billing end: EC2's shutdown where it was seen, else EMR's end time; None while it runs.
        end_source: Which of the two it is.
        interrupted: True where EC2's state reason proves that AWS took it back.
        volumes: Every EBS volume it has, the root volume first.
        volume_ids: Their ids in the same order; none where EC2 was not seen while it ran.
    """

    ec2_instance_id: str
    group_id: str
    role: Role
    market: Market
    instance_type: str
    availability_zone: str
    started_at: datetime
    start_source: StartSource = StartSource.EMR_CREATION_TIME
    ended_at: datetime | None
    end_source: EndSource = EndSource.EMR_END_TIME
    interrupted: bool = False
    volumes: tuple[Volume, ...] = ()
    volume_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """What one component of one group cost in one hour at one price.

    Each cost is its unit price times the quantity, to the last digit.

    Attributes:
        group_id: ig-..., or if-... of a fleet.
        role: Of the group or fleet.
        market: Of its instances; a fleet has lines of both.
        component: What was paid for.
        item: Instance or volume type.
        quantity: Billed hours or GB-Months, to a millionth of a millionth.
        measured_quantity: What was used of them: less where the minimum of 60 s was billed.
        unit: Hours or GB-Months.
        unit_price_usd: USD per unit, as published: the price that the source names.
        list_unit_price_usd: The on-demand rate; for spot not the price paid.
        contracted_unit_price_usd: After the discount configured in the policy; for spot the market's price.
        effective_unit_price_usd: After the coverage configured in the policy, on average.
        list_cost_usd: Quantity at the on-demand rate.
        contracted_cost_usd: Quantity at the contracted rate.
        effective_cost_usd: What is expected to be paid.
        price_source: From the price.
        instances: How many instances the line covers.
    """

    group_id: str
    role: Role
    market: Market
    component: Component
    item: str
    quantity: Decimal
    measured_quantity: Decimal
    unit: str
    unit_price_usd: Decimal
    list_unit_price_usd: Decimal
    contracted_unit_price_usd: Decimal
    effective_unit_price_usd: Decimal
    list_cost_usd: Decimal
    contracted_cost_usd: Decimal
    effective_cost_usd: Decimal
    price_source: str
    instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleFigure:
    """What of an hour's cost was for capacity that nothing was allocated on.

    Attributes:
        share: Part of the cluster's YARN memory that was not allocated, 0-1.
        cost_usd: The hour's effective cost times the share.
        basis: What the share was measured from, for people.
    """

    share: Decimal
    cost_usd: Decimal
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRecord:
    """One cluster-hour, computed whole from facts.

    Attributes:
        account_id: AWS account.
        region: AWS region.
        cluster_id: j-...
        cluster_name: For people.
        hour: Start of the hour, UTC, half-open.
        cost_centre: Who pays.
        lines: All lines of the hour.
        idle: Idle cost; None where the metrics do not carry it: it is never guessed.
        savings: What scaling, reaping and replacement did in it; None where they did nothing.
        assumptions: What was configured or assumed rather than known: discounts, coverage, first-hour fee, prices
            used before the date since which they are known.
        revision: 1 for the first; raised when later facts change the lines.
        status: ESTIMATED until reconciled with the billing export.
        recorded_at: When this revision was written.
    """

    account_id: str
    region: str
    cluster_id: str
    cluster_name: str
    hour: datetime
    cost_centre: str
    lines: tuple[CostLine, ...]
    idle: IdleFigure | None = None
    savings: Savings | None = None
    assumptions: tuple[str, ...] = ()
    revision: int = 1
    status: RecordStatus = RecordStatus.ESTIMATED
    recorded_at: datetime

    @property
    def effective_cost_usd(self) -> Decimal:
        """Sum of the lines, exact."""
        return exact_sum(line.effective_cost_usd for line in self.lines)

    @property
    def contracted_cost_usd(self) -> Decimal:
        """Sum of the lines at contracted rates, exact."""
        return exact_sum(line.contracted_cost_usd for line in self.lines)

    @property
    def list_cost_usd(self) -> Decimal:
        """Sum of the lines at on-demand rates, exact."""
        return exact_sum(line.list_cost_usd for line in self.lines)

    @property
    def spot_saving_usd(self) -> Decimal:
        """What spot instances cost less than on-demand ones would have, exact; it may be below zero."""
        return spot_saving(self.lines)

    @property
    def scaling_saving_usd(self) -> Decimal:
        """What task nodes that did not run would have cost; an estimate."""
        scaling = None if self.savings is None else self.savings.scaling
        return Decimal(0) if scaling is None else scaling.saved_usd

    @property
    def reaping_saving_usd(self) -> Decimal:
        """What the cluster would have gone on costing after its end; an estimate."""
        reaping = None if self.savings is None else self.savings.reaping
        return Decimal(0) if reaping is None else reaping.saved_usd

    @property
    def instances_replaced(self) -> int:
        """How many task instances that AWS took back were ordered anew."""
        replaced = None if self.savings is None else self.savings.replacements
        return 0 if replaced is None else replaced.replaced

    @property
    def idle_cost_usd(self) -> Decimal | None:
        """Cost of idle capacity; None where it is not known."""
        return None if self.idle is None else self.idle.cost_usd


def spot_saving(lines: Iterable[CostLine]) -> Decimal:
    """Return list less effective cost of the spot lines, exact."""
    spot = [line for line in lines if line.component is Component.EC2_SPOT]
    return exact_sum(
        [*(line.list_cost_usd for line in spot), *(line.effective_cost_usd.copy_negate() for line in spot)]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthTotal:
    """The rollup of one cost centre and month: moves with each hour record, in its transaction.

    Attributes:
        cost_centre: Who pays.
        month: 2026-10.
        effective_cost_usd: Of the month's own hours.
        contracted_cost_usd: Of the month's own hours.
        list_cost_usd: Of the month's own hours.
        spot_saving_usd: Of the month's own hours.
        idle_cost_usd: Of the hours whose idle cost is known.
        scaling_saving_usd: Of the month's own hours; an estimate.
        reaping_saving_usd: Of the month's own hours; an estimate.
        instances_replaced: Of the month's own hours.
        hours: Cluster-hours recorded.
        hours_with_idle: Cluster-hours whose idle cost is known.
        hours_reconciled: Cluster-hours that the bill has proven.
        correction_usd: Effective cost booked in this month for hours of months closed before.
        corrections: How many such bookings.
    """

    cost_centre: str
    month: str
    effective_cost_usd: Decimal
    contracted_cost_usd: Decimal = Decimal(0)
    list_cost_usd: Decimal
    spot_saving_usd: Decimal = Decimal(0)
    idle_cost_usd: Decimal = Decimal(0)
    scaling_saving_usd: Decimal = Decimal(0)
    reaping_saving_usd: Decimal = Decimal(0)
    instances_replaced: int = 0
    hours: int
    hours_with_idle: int = 0
    hours_reconciled: int = 0
    correction_usd: Decimal = Decimal(0)
    corrections: int = 0

    @property
    def total_usd(self) -> Decimal:
        """What the month is charged: its own hours and the corrections booked in it, exact."""
        return exact_sum((self.effective_cost_usd, self.correction_usd))
