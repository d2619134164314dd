"""The ladder of placement: one number, the level, says how much memory each group carries.

No group carries less at a higher level. So more demand never gives less capacity, and the highest level
that the limits allow is found by bisection, in a time that does not grow with the number of nodes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.slots import Limits, Slot

LARGEST_POOL_SHARE = 0.4
"""No pool holds more of the spot capacity than this, as far as there are pools: they fail as a whole."""

_ROUND_UP = 0.99
"""The share of its first node that a group may be short of when it gets it."""
_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What is wanted at least, all of it."""

    mib: float = 0.0
    nodes: int = 0
    units: float = 0.0

    def are_met(self, counts: Mapping[str, int], of: Sequence[Slot]) -> bool:
        """Return whether the counts of these slots have all of it."""
        return (
            sum(counts[s.group_id] for s in of) >= self.nodes
            and sum(s.node_mib * counts[s.group_id] for s in of) >= self.mib
            and (not self.units or sum(s.units * counts[s.group_id] for s in of) >= self.units)
        )


class Bounds:
    """Whether counts are within the limits.

    Args:
        slots: All groups.
        max_nodes: Most nodes of all groups.
        limits: The others.
        with_billed: Nodes that drain still cost money and hold addresses, for orders that add to them.
    """

    def __init__(self, slots: Sequence[Slot], max_nodes: int, limits: Limits, *, with_billed: bool) -> None:
        self._max_nodes = max_nodes
        self._max_units = limits.max_units
        self._units = {} if math.isinf(limits.max_units) else {s.group_id: s.units for s in slots}
        self._cap = limits.max_usd_per_hour if limits.has_cap else None
        self._addresses: int | None = None
        self._billed: list[tuple[str, int]] = []
        if with_billed and limits.free_addresses is not None:
            self._billed = [(s.group_id, s.billed) for s in slots]
            self._addresses = limits.free_addresses + sum(s.billed for s in slots)
        self._usd: list[tuple[str, Decimal, int]] = []
        if self._cap is not None:
            self._usd = [(s.group_id, s.usd_per_hour or Decimal(0), s.billed if with_billed else 0) for s in slots]

    def keep(self, counts: Mapping[str, int]) -> bool:
        """Return whether ``counts`` pass none of them."""
        if sum(counts.values()) > self._max_nodes:
            return False
        if self._units and sum(units * counts[i] for i, units in self._units.items()) > self._max_units:
            return False
        if self._addresses is not None and sum(max(counts[i], n) for i, n in self._billed) > self._addresses:
            return False
        return self._cap is None or sum(usd * max(counts[i], n) for i, usd, n in self._usd) <= self._cap


@dataclass(slots=True)
class _Rung:
    """One group on the ladder: its nodes at a level are ``base`` and what the level gives it."""

    group_id: str
    mib: float
    base: int
    most: float
    is_spot: bool
    round_up: float = _ROUND_UP
    room_mib: float = math.inf


_Tier = list[_Rung]


class Ladder:
    """How many nodes each group has at a level; never fewer than ``least``.

    Args:
        usable: The groups that may get nodes.
        least: Counts that all groups have in any case.
        most: Counts that no group may pass; none where empty.
        limits: Of the placement.
        floor_nodes: On-demand nodes that are no part of what the markets share.
    """

    def __init__(
        self,
        usable: Sequence[Slot],
        least: Mapping[str, int],
        most: Mapping[str, int],
        limits: Limits,
        *,
        floor_nodes: int,
    ) -> None:
        self._least = least
        spot = [s for s in usable if s.market is Market.SPOT]
        on_demand = [s for s in usable if s.market is Market.ON_DEMAND]
        wanted_share = 0.0 if limits.spot_is_given_up and not most else limits.spot_share
        self._spot_share = 0.0 if not spot else wanted_share if on_demand else 1.0
        self._pool_share = max(LARGEST_POOL_SHARE, 1.0 / len(spot)) if spot else 1.0
        self._spot = _tiers([self._rung(s, most) for s in _ordered(spot)], _kinds(spot))
        self._on_demand = _tiers([self._rung(s, most) for s in _ordered(on_demand)], _kinds(on_demand))
        self._share_out_floor(floor_nodes, limits.on_demand_max_nodes)
        self._rungs = [rung for tier in (*self._spot, *self._on_demand) for rung in tier]
        self._smallest = min((rung.mib for rung in self._rungs), default=1.0)
        for place, rung in enumerate(self._rungs):
            # Larger nodes are rounded up later, and of equal ones the first comes first.
            rung.round_up = _ROUND_UP * self._smallest / rung.mib * (1 - place / (100.0 * len(self._rungs)))
            rung.room_mib = (rung.most - rung.base) * rung.mib
        for tier in (*self._spot, *self._on_demand):
            tier.sort(key=_room)  # those that are full first leave more to the others

    @staticmethod
    def _rung(slot: Slot, most: Mapping[str, int]) -> _Rung:
        return _Rung(
            slot.group_id, slot.node_mib, 0, most[slot.group_id] if most else math.inf, slot.market is Market.SPOT
        )

    def _share_out_floor(self, floor_nodes: int, on_demand_max_nodes: int | None) -> None:
        left = floor_nodes
        rungs = [rung for tier in self._on_demand for rung in tier]
        for rung in rungs:
            rung.base = min(left, self._least[rung.group_id])
            left -= rung.base
        if on_demand_max_nodes is not None:
            allowed = max(0, on_demand_max_nodes - sum(self._least[rung.group_id] for rung in rungs))
            for rung in rungs:
                rung.most = self._least[rung.group_id] + allowed
                allowed = 0

    def climb(self, bounds: Bounds, wants: Wants, *, of: Sequence[Slot]) -> dict[str, int]:
        """Return the counts at the lowest level that meets ``wants``, else at the highest within ``bounds``."""

        def ends(counts: Mapping[str, int]) -> bool:
            return not bounds.keep(counts) or wants.are_met(counts, of)

        low, below = 0.0, dict(self._least)
        if ends(below) or not self._rungs:
            return below
        high, above = self._first_end(ends)
        for _ in range(_STEPS):
            if sum(above.values()) - sum(below.values()) <= 1:
                break
            middle = (low + high) / 2
            counts = self._at(middle)
            if ends(counts):
                high, above = middle, counts
            else:
                low, below = middle, counts
        if sum(above.values()) - sum(below.values()) > 1:
            above = self._between(below, above, ends)
        return above if bounds.keep(above) else below

    def _between(
        self, below: dict[str, int], above: dict[str, int], ends: Callable[[Mapping[str, int]], bool]
    ) -> dict[str, int]:
        """Return the first counts that end the climb where several groups get a node at one level."""
        counts = dict(below)
        for rung in sorted(self._rungs, key=lambda rung: rung.is_spot):
            while counts[rung.group_id] < above[rung.group_id]:
                before = dict(counts)
                counts[rung.group_id] += 1
                if ends(counts):
                    below.update(before)
                    return counts
        return counts

    def _first_end(self, ends: Callable[[Mapping[str, int]], bool]) -> tuple[float, dict[str, int]]:
        """Return a level at which the climb ends, or one at which no group can have more."""
        level = self._smallest
        counts = self._at(level)
        for _ in range(_STEPS):
            if ends(counts) or all(counts[rung.group_id] >= rung.most for rung in self._rungs):
                break
            level *= 4
            counts = self._at(level)
        return level, counts

    def _at(self, level: float) -> dict[str, int]:
        counts = dict(self._least)
        spot = level * self._spot_share
        share = self._pool_share * spot
        rest = _carry(self._spot, spot, share, counts)
        # Whole nodes of several pools are more than their part: on-demand keeps its share of what is there.
        over = max(0.0, sum(rung.mib * counts[rung.group_id] for tier in self._spot for rung in tier) - spot)
        part = level - spot + (over * (1 - self._spot_share) / self._spot_share if self._spot_share else 0.0)
        rest = _carry(self._on_demand, part + rest, math.inf, counts)
        if rest > 0 and self._spot:  # on-demand is exhausted: spot carries beyond its share
            _carry(self._spot, spot + rest, self._pool_share * (spot + rest), counts)
        return counts


def _ordered(slots: Sequence[Slot]) -> list[Slot]:
    """Order groups as they are asked; those without a price come last."""
    return sorted(
        slots,
        key=lambda s: (s.cost is None, s.rank if s.cost is not None else 0, s.cost or 0, s.rank, s.group_id),
    )


def _kinds(slots: Sequence[Slot]) -> list[tuple[int, Decimal] | None]:
    return [(slot.rank, slot.cost) if slot.cost is not None else None for slot in _ordered(slots)]


def _tiers(rungs: Sequence[_Rung], kinds: Sequence[object]) -> list[_Tier]:
    """Put the groups that cost the same together: they carry the same."""
    tiers: list[_Tier] = []
    for place, rung in enumerate(rungs):
        if place and kinds[place] == kinds[place - 1]:
            tiers[-1].append(rung)
        else:
            tiers.append([rung])
    return tiers


def _carry(tiers: Sequence[_Tier], mib: float, share_mib: float, counts: dict[str, int]) -> float:
    """Raise ``counts`` so that the tiers carry ``mib``, each group at most ``share_mib``; return the rest."""
    for tier in tiers:
        if mib <= 0:
            break
        left = len(tier)
        for rung in tier:
            part = mib / left
            part = min(part, share_mib)
            part = min(part, rung.room_mib)
            mib -= part
            left -= 1
            count = rung.base + math.floor(part / rung.mib + rung.round_up)
            if count > rung.most:
                count = int(rung.most)
            counts[rung.group_id] = max(counts[rung.group_id], count)
    return mib


def _room(rung: _Rung) -> float:
    return rung.room_mib
