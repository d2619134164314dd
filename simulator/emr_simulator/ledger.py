"""AWS's own bill of the world, in exact fractions of a dollar; shares no code with the layer's cost records.

Rules (facts on billing): EMR fee, EC2 on demand and EC2 spot by the second from the EC2 launch, 60 s
at least; spot at the price in force in each second; no EC2 charge for a spot instance that AWS takes
back in its first hour, its EMR fee stays; EBS by the share of the calendar month, without a minimum.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction

from emr_simulator.catalogue import TYPES, VOLUMES
from emr_simulator.clusters import Cluster, Node
from emr_simulator.descriptions import Ec2Volume
from emr_simulator.engine import to_moment, to_seconds
from emr_simulator.kernel import Kernel
from emr_simulator.spot import Pools
from emr_simulator.words import BillComponent, Market

HOUR = 3600
MINIMUM_SECONDS = 60
_DIGITS = Context(prec=40)

_Sums = dict[tuple[str, int, str, BillComponent], tuple[int, Fraction]]


def to_decimal(amount: Fraction) -> Decimal:
    """Return a fraction with 40 significant digits."""
    return _DIGITS.divide(Decimal(amount.numerator), Decimal(amount.denominator))


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """What one component of one group cost in one hour.

    Attributes:
        hour: Its start.
        seconds: Billed instance-seconds (for EBS: volume-seconds).
        usd_exact: USD, exact.
    """

    cluster_id: str
    hour: datetime
    group_id: str
    component: BillComponent
    seconds: int
    usd_exact: Fraction

    @property
    def usd(self) -> Decimal:
        """USD with 40 significant digits."""
        return to_decimal(self.usd_exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Every line, by cluster, hour, group and component."""

    lines: tuple[BillLine, ...]

    def total_usd(
        self,
        *,
        cluster_id: str | None = None,
        group_id: str | None = None,
        component: BillComponent | None = None,
    ) -> Decimal:
        """Return the sum of the lines that match every argument given, 40 significant digits."""
        return to_decimal(
            sum(
                (
                    line.usd_exact
                    for line in self.lines
                    if (cluster_id is None or line.cluster_id == cluster_id)
                    and (group_id is None or line.group_id == group_id)
                    and (component is None or line.component is component)
                ),
                Fraction(0),
            )
        )


class Ledger:
    """Reads the bill off the life of every instance."""

    def __init__(self, kernel: Kernel, clusters: Mapping[str, Cluster], pools: Pools) -> None:
        self._kernel = kernel
        self._clusters = clusters
        self._pools = pools

    def bill(self, *, until: datetime | None = None) -> Bill:
        """Return the bill of everything up to ``until`` (now where None).

        An instance that still runs is billed to that moment; the 60 s minimum applies once it has ended.
        """
        limit = self._kernel.now if until is None else to_seconds(until)
        sums: _Sums = {}
        for cluster in self._clusters.values():
            for node in cluster.nodes():
                if node.launched_at is not None and node.launched_at < limit:
                    self._charge(sums, cluster, node, limit)
        return Bill(
            lines=tuple(
                BillLine(
                    cluster_id=cluster_id,
                    hour=to_moment(hour),
                    group_id=group_id,
                    component=component,
                    seconds=seconds,
                    usd_exact=usd,
                )
                for (cluster_id, hour, group_id, component), (seconds, usd) in sorted(sums.items())
            )
        )

    def _charge(self, sums: _Sums, cluster: Cluster, node: Node, limit: int) -> None:
        start = node.launched_at or 0
        ended = node.ended_at is not None and node.ended_at <= limit
        end = node.ended_at if ended and node.ended_at is not None else limit
        billed_end = max(end, start + MINIMUM_SECONDS) if ended else end
        group = node.group
        kind = TYPES[node.instance_type]

        def add(hour: int, component: BillComponent, seconds: int, usd: Fraction) -> None:
            key = (cluster.cluster_id, hour, group.group_id, component)
            before = sums.get(key, (0, Fraction(0)))
            sums[key] = (before[0] + seconds, before[1] + usd)

        free = ended and node.interrupted and end - start < HOUR
        spot = node.market is Market.SPOT
        for hour, first, last in _hours(start, billed_end):
            seconds = last - first
            add(hour, BillComponent.EMR_FEE, seconds, Fraction(kind.emr_fee_usd) * seconds / HOUR)
            if not spot:
                usd = Fraction(kind.on_demand_usd) * seconds / HOUR
                add(hour, BillComponent.EC2_ON_DEMAND, seconds, usd)
            elif not free:
                usd = self._spot_usd(node.instance_type, cluster.zone, first, last)
                add(hour, BillComponent.EC2_SPOT, seconds, usd)
        disks = sum((_volume_month_usd(volume) for volume in node.volumes), Fraction(0))
        for hour, first, last in _hours(start, end) if node.volumes else ():
            usd = disks * (last - first) / _month_seconds(first)
            add(hour, BillComponent.EBS, (last - first) * len(node.volumes), usd)

    def _spot_usd(self, instance_type: str, zone: str, first: int, last: int) -> Fraction:
        steps = self._pools.steps(instance_type, zone).between(first, last)
        ends = [at for at, _ in steps[1:]] + [last]
        return sum(
            (Fraction(usd) * (end - max(at, first)) / HOUR for (at, usd), end in zip(steps, ends, strict=True)),
            Fraction(0),
        )


def _hours(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (hour, first, last) for each clock hour that [start, end) touches."""
    hour = start - start % HOUR
    while hour < end:
        yield hour, max(hour, start), min(hour + HOUR, end)
        hour += HOUR


def _month_seconds(seconds: int) -> int:
    """Return the length of the calendar month of a time; an hour never spans two months."""
    moment = to_moment(seconds)
    first = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    following = (first + timedelta(days=32)).replace(day=1)
    return to_seconds(following) - to_seconds(first)


def _volume_month_usd(volume: Ec2Volume) -> Fraction:
    price = VOLUMES[volume.volume_type]
    iops = max(0, (volume.iops or 0) - price.free_iops)
    mibps = max(0, (volume.throughput_mibps or 0) - price.free_mibps)
    return (
        volume.size_gib * Fraction(price.gib_usd)
        + iops * Fraction(price.iops_usd)
        + mibps * Fraction(price.mibps_usd)
    )
