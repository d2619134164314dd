"""Task groups as placement sees them, and what bounds placement; how it goes is placement.py's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from emr_autoscaler.domain.cluster import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One task group as placement sees it.

    Attributes:
        group_id: ig-...
        market: Spot groups come first, on-demand groups are floor and fallback.
        node_mib: YARN memory of one of its nodes.
        count: Nodes it has or was asked for.
        open: False where no nodes may be added now: its pool is cooling, or the group is stuck.
        rank: Lower is asked first.
        cost: Risk-adjusted USD of a useful GiB-hour (market.py); None where no price is known.
        usd_per_hour: What one of its nodes costs now; None where no price is known.
        units: What one of its nodes counts in the policy's unit.
        billed: Nodes that cost money and hold addresses now, whatever is ordered: those that drain included.
    """

    group_id: str
    market: Market
    node_mib: float
    count: int
    open: bool = True
    rank: int = 0
    cost: Decimal | None = None
    usd_per_hour: Decimal | None = None
    units: float = 1.0
    billed: int = 0

    def open_if(self, allowed: object) -> "Slot":
        """Return the slot, closed unless ``allowed``; one that is closed stays so."""
        return self if allowed or not self.open else replace(self, open=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds placement beyond the number of nodes; the defaults bound nothing.

    Attributes:
        min_units: Least capacity in the policy's unit.
        max_units: Most capacity in the policy's unit.
        max_usd_per_hour: What the groups may cost at most; None for no cap.
        prices_missing: A group that has nodes has no price: under a cap nothing may be added then.
        free_addresses: Addresses the subnet has beyond those of nodes that are billed; None where nobody looked.
        on_demand_max_nodes: Most on-demand nodes; None for no bound of their own.
        spot_share: Part (0-1) of what is above the on-demand floor that is bought on spot.
        spot_is_given_up: What is bought now is bought on demand, and on spot only what is left then.
    """

    min_units: float = 0.0
    max_units: float = math.inf
    max_usd_per_hour: Decimal | None = None
    prices_missing: bool = False
    free_addresses: int | None = None
    on_demand_max_nodes: int | None = None
    spot_share: float = 1.0
    spot_is_given_up: bool = False

    @property
    def has_cap(self) -> bool:
        """Whether a cap in money can be kept: there is one, and the prices are known."""
        return self.max_usd_per_hour is not None and not self.prices_missing

    def without(self, slot: Slot) -> "Limits":
        """Return what is left of units and money once a slot keeps what it has."""
        units, cap = slot.units * slot.count, self.max_usd_per_hour
        spent = (slot.usd_per_hour or Decimal(0)) * slot.count
        return replace(
            self,
            min_units=max(0.0, self.min_units - units),
            max_units=max(0.0, self.max_units - units),
            max_usd_per_hour=None if cap is None else max(Decimal(0), cap - spent),
        )


NO_LIMITS = Limits()


def capacity_mib(slots: Sequence[Slot], counts: Mapping[str, int]) -> float:
    """Return the YARN memory of ``counts`` nodes, in MiB."""
    return sum(slot.node_mib * counts[slot.group_id] for slot in slots)


def capacity_units(slots: Sequence[Slot], counts: Mapping[str, int]) -> float:
    """Return what ``counts`` nodes count in the policy's unit."""
    return sum(slot.units * counts[slot.group_id] for slot in slots)


def usd_per_hour(slots: Sequence[Slot], counts: Mapping[str, int]) -> Decimal:
    """Return what ``counts`` nodes cost an hour; groups without a known price count nothing."""
    return sum(
        (slot.usd_per_hour * counts[slot.group_id] for slot in slots if slot.usd_per_hour is not None), Decimal(0)
    )
