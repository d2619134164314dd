"""Capacity pools: whether an instance can be had, and what spot costs when; no instances live here."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

from emr_simulator.catalogue import instance_type
from emr_simulator.kernel import Kernel
from emr_simulator.settings import SpotOutages
from emr_simulator.spot_traces import SpotTrace
from emr_simulator.words import Market

PoolName = tuple[str, str]
"""Instance type and availability zone."""

_HISTORY_SECONDS = 3 * 86400
_MEAN_STEP_SECONDS = 4 * 3600
_CENT_OF_CENT = Decimal("0.0001")


class PriceSteps:
    """The spot price of one pool as a step function, drawn or replayed as far as it is looked at."""

    def __init__(self, kernel: Kernel, pool: PoolName) -> None:
        self._chance = kernel.chance(f"spot-price:{pool[0]}:{pool[1]}")
        self._on_demand = instance_type(pool[0]).on_demand_usd
        self._moves = kernel.settings.spot_prices_move
        fraction = kernel.settings.spot_discount
        self._low, self._high = fraction * Decimal("0.7"), min(Decimal(1), fraction * Decimal("1.5"))
        self.starts = [kernel.started_at - _HISTORY_SECONDS]
        self.prices = [self._rounded(fraction)]
        self._recorded: Iterator[tuple[int, Decimal]] | None = None
        trace = kernel.settings.spot_traces.get(pool)
        if trace is not None:
            self._moves = True
            self._recorded = self._replay(trace, kernel.started_at, fraction)
            self.starts[0], self.prices[0] = next(self._recorded)

    def _rounded(self, fraction: Decimal) -> Decimal:
        return (self._on_demand * fraction).quantize(_CENT_OF_CENT)

    def _replay(self, trace: SpotTrace, origin: int, fraction: Decimal) -> Iterator[tuple[int, Decimal]]:
        """Yield the recorded steps in this world's time and at this type's prices."""
        scale = fraction / trace.mean_usd if trace.on_demand_usd is None else 1 / trace.on_demand_usd
        for at, usd in trace.prices_from(-_HISTORY_SECONDS):
            yield origin + at, self._rounded(usd * scale)

    def _draw_until(self, seconds: int) -> None:
        while self._moves and self._recorded is not None and self.starts[-1] <= seconds:
            at, usd = next(self._recorded)
            self.starts.append(at)
            self.prices.append(usd)
        while self._moves and self.starts[-1] <= seconds:
            gap = max(600, round(self._chance.expovariate(1.0 / _MEAN_STEP_SECONDS)))
            # As far up as down: the mean stays, and between these bounds, uncut, it is the discount.
            factor = Decimal(str(round(self._chance.uniform(0.9375, 1.0625), 4)))
            fraction = self.prices[-1] / self._on_demand * factor
            self.starts.append(self.starts[-1] + gap)
            self.prices.append(self._rounded(min(self._high, max(self._low, fraction))))

    def fix(self, now: int, usd_per_hour: Decimal) -> None:
        """Set the price from ``now`` on; it moves no more by itself."""
        self._draw_until(now)
        keep = bisect_right(self.starts, now - 1)
        self.starts[keep:] = [now]
        self.prices[keep:] = [usd_per_hour]
        self._moves = False

    def between(self, start: int, end: int) -> list[tuple[int, Decimal]]:
        """Return the steps of [start, end), the one in force at ``start`` first."""
        self._draw_until(end)
        first = max(0, bisect_right(self.starts, start) - 1)
        return [
            (at, usd)
            for at, usd in zip(self.starts[first:], self.prices[first:], strict=True)
            if at < end or at <= start
        ]


class Pools:
    """Every capacity pool of the account's region."""

    def __init__(self, kernel: Kernel, when_interrupted: Callable[[PoolName], None]) -> None:
        self._kernel = kernel
        self._when_interrupted = when_interrupted
        self._steps: dict[PoolName, PriceSteps] = {}
        self._dry_until: dict[tuple[str, str, Market], int] = {}
        self._watched: set[PoolName] = set()

    def steps(self, instance_type_name: str, zone: str) -> PriceSteps:
        """Return a pool's prices. Raises ApiError for an unknown type."""
        pool = (instance_type_name, zone)
        if pool not in self._steps:
            self._steps[pool] = PriceSteps(self._kernel, pool)
        return self._steps[pool]

    def dry(self, instance_type_name: str, zone: str, market: Market, until: int) -> None:
        """Let no instance be launched in a pool before ``until``."""
        self._dry_until[instance_type_name, zone, market] = until

    def has_capacity(self, instance_type_name: str, zone: str, market: Market) -> bool:
        """Return whether an instance can be launched now."""
        if market is Market.SPOT:
            self._watch((instance_type_name, zone))
        return self._kernel.now >= self._dry_until.get((instance_type_name, zone, market), 0)

    def _watch(self, pool: PoolName) -> None:
        """Begin the outages of a pool with its first use: recorded ones, or random ones."""
        if pool in self._watched:
            return
        self._watched.add(pool)
        trace, outages = self._kernel.settings.spot_traces.get(pool), self._kernel.settings.spot_outages
        if trace is not None:
            self._replay(pool, trace)
        elif outages is not None:
            self._draw(pool, outages)

    def _replay(self, pool: PoolName, trace: SpotTrace) -> None:
        """Follow a recording, whose first second is the world's."""
        origin = self._kernel.started_at
        coming = trace.outages_from(self._kernel.now - origin)

        def wait() -> None:
            for start, end in coming:
                self._kernel.engine.at(origin + start, partial(begin, origin + end))
                return

        def begin(end: int) -> None:
            self.dry(*pool, Market.SPOT, max(end, self._dry_until.get((*pool, Market.SPOT), 0)))
            self._when_interrupted(pool)
            wait()

        first = next(coming, None)
        if first is not None and origin + first[0] <= self._kernel.now:
            begin(origin + first[1])
        elif first is not None:
            self._kernel.engine.at(origin + first[0], partial(begin, origin + first[1]))

    def _draw(self, pool: PoolName, outages: SpotOutages) -> None:
        chance = self._kernel.chance(f"spot-outage:{pool[0]}:{pool[1]}")

        def begin() -> None:
            down = outages.draw_down(chance)
            self.dry(*pool, Market.SPOT, self._kernel.now + down)
            self._when_interrupted(pool)
            self._kernel.engine.after(down + outages.draw_up(chance), begin)

        self._kernel.engine.after(outages.draw_up(chance), begin)
