"""Placement by example: cheapest useful hour, no pool too large, markets in their shares, limits kept."""

import math
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.ladder import LARGEST_POOL_SHARE, Bounds
from emr_autoscaler.domain.leaving_nodes import PlacementBounds, place_fewer_keeping
from emr_autoscaler.domain.placement import has_room, place_fewer, place_more, why_no_more
from emr_autoscaler.domain.slots import Limits, Slot, capacity_mib, usd_per_hour

NODE = 12288.0


def slot(name: str, count: int = 0, *, usd: str | None = None, **changes: Any) -> Slot:
    price = None if usd is None else Decimal(usd)
    values = {"market": Market.SPOT, "node_mib": NODE, "usd_per_hour": price}
    merged = values | changes
    if price is not None and "cost" not in changes:
        merged["cost"] = price / Decimal(merged["node_mib"])
    return Slot(group_id=name, count=count, **merged)


def on_demand(count: int = 0, *, usd: str | None = "0.24", **changes: Any) -> Slot:
    return slot("od", count, usd=usd, market=Market.ON_DEMAND, **changes)


def more(slots: list[Slot], nodes: float, *, most: int = 2000, floor: int = 0, **limits: Any) -> dict[str, int]:
    return place_more(
        slots,
        wanted_mib=nodes * NODE,
        min_nodes=0,
        max_nodes=most,
        on_demand_min_nodes=floor,
        limits=Limits(**limits),
    )


def fewer(slots: list[Slot], nodes: float, *, most: int = 2000, floor: int = 0, **limits: Any) -> dict[str, int]:
    return place_fewer(
        slots,
        wanted_mib=nodes * NODE,
        min_nodes=0,
        max_nodes=most,
        on_demand_min_nodes=floor,
        limits=Limits(**limits),
    )


POOLS = [slot("a", usd="0.10"), slot("b", usd="0.11"), slot("c", usd="0.12"), slot("d", usd="0.13")]


def test_the_cheapest_pools_are_filled_to_two_fifths_each_and_the_next_takes_the_rest() -> None:
    assert more([*POOLS, on_demand()], 10) == {"a": 4, "b": 4, "c": 2, "d": 0, "od": 0}


def test_two_pools_share_what_no_third_can_take() -> None:
    assert more(POOLS[:2], 10) == {"a": 5, "b": 5}


def test_a_pool_at_risk_is_asked_after_the_healthy_ones() -> None:
    risky = slot("a", usd="0.10", rank=1)
    assert more([risky, *POOLS[1:]], 10) == {"a": 0, "b": 4, "c": 4, "d": 2}


def test_a_pool_without_a_price_comes_last_and_pools_without_any_share_evenly() -> None:
    assert more([slot("x"), *POOLS[:3]], 10) == {"x": 0, "a": 4, "b": 4, "c": 2}
    assert more([slot("x"), slot("y"), slot("z")], 9) == {"x": 3, "y": 3, "z": 3}


def test_what_stands_is_never_taken_away_and_closed_pools_get_nothing() -> None:
    slots = [slot("a", 6, usd="0.10", open=False), slot("b", 1, usd="0.11"), slot("c", usd="0.12")]
    assert more(slots, 10) == {"a": 6, "b": 2, "c": 2}


@given(st.integers(1, 300), st.integers(3, 8))
def test_no_pool_holds_more_than_two_fifths_in_whole_nodes(nodes: int, pools: int) -> None:
    counts = more([slot(f"p{n}", usd=f"0.1{n}") for n in range(pools)], nodes)
    assert sum(counts.values()) == nodes
    assert max(counts.values()) <= math.ceil(LARGEST_POOL_SHARE * nodes + 1e-9)


@given(
    st.lists(st.tuples(st.sampled_from((6144, 12288, 24576, 57344)), st.integers(1, 9)), min_size=1, max_size=6)
)
def test_more_demand_never_gives_less_memory_whatever_the_sizes(kinds: list[tuple[int, int]]) -> None:
    slots = [slot(f"s{n}", node_mib=float(mib), usd=f"0.{c}") for n, (mib, c) in enumerate(kinds)]
    held = [capacity_mib(slots, more(slots, n / 2)) for n in range(40)]
    assert held == sorted(held)
    assert all(mib >= n / 2 * NODE for n, mib in enumerate(held))


def test_the_floor_is_on_demand_and_the_share_divides_what_is_above_it() -> None:
    assert more([*POOLS[:3], on_demand()], 12, floor=2)["od"] == 2
    shared = more([*POOLS[:3], on_demand()], 12, floor=2, spot_share=0.5)
    assert (shared["od"], sum(shared.values())) == (7, 12)
    assert more([*POOLS[:3], on_demand()], 12, spot_share=0.0)["od"] == 12


def test_on_demand_is_the_fallback_and_has_a_bound_of_its_own() -> None:
    closed = [slot("a", usd="0.10", open=False), on_demand()]
    assert more(closed, 10)["od"] == 10
    assert more(closed, 10, on_demand_max_nodes=4)["od"] == 4
    assert why_no_more([closed[0], on_demand(4)], max_nodes=99, limits=Limits(on_demand_max_nodes=4)) is (
        Reason.AT_MAXIMUM
    )


def test_while_spot_is_given_up_on_demand_comes_first_and_spot_gets_what_it_cannot_take() -> None:
    slots = [*POOLS[:3], on_demand()]
    assert more(slots, 8, spot_is_given_up=True)["od"] == 8
    bounded = more(slots, 8, spot_is_given_up=True, on_demand_max_nodes=3)
    assert (bounded["od"], sum(bounded.values())) == (3, 8)


def test_the_cap_ends_an_order_and_says_so() -> None:
    slots = [slot("a", usd="0.10"), slot("b", usd="0.10")]
    counts = more(slots, 50, max_usd_per_hour=Decimal("1.05"))
    assert usd_per_hour(slots, counts) == Decimal("1.00")
    full = [slot("a", 5, usd="0.10"), slot("b", 5, usd="0.10")]
    assert why_no_more(full, max_nodes=99, limits=Limits(max_usd_per_hour=Decimal("1.05"))) is Reason.AT_MONEY_CAP


def test_nodes_that_drain_still_cost_money() -> None:
    slots = [slot("a", 1, usd="0.10", billed=9), slot("b", 0, usd="0.10")]
    assert sum(more(slots, 20, max_usd_per_hour=Decimal("1.00")).values()) <= 10


def test_without_prices_nothing_is_added_under_a_cap() -> None:
    capped = Limits(max_usd_per_hour=Decimal(9), prices_missing=True)
    assert more([slot("a", 2), slot("b", usd="0.1")], 9, max_usd_per_hour=Decimal(9), prices_missing=True) == {
        "a": 2,
        "b": 0,
    }
    assert why_no_more([slot("a", 2)], max_nodes=9, limits=capped) is Reason.PRICES_MISSING
    assert more([slot("a"), slot("b", usd="0.1")], 2, max_usd_per_hour=Decimal(9)) == {"a": 0, "b": 2}


def test_above_the_cap_the_costliest_nodes_go_until_it_is_kept() -> None:
    slots = [slot("a", 4, usd="0.10"), slot("b", 4, usd="0.11"), slot("c", 4, usd="0.40"), on_demand(4)]
    counts = fewer(slots, math.inf, max_usd_per_hour=Decimal("1.50"))
    assert usd_per_hour(slots, counts) <= Decimal("1.50")
    assert counts["od"] == 0
    assert counts["a"] >= counts["b"] > counts["c"]


def test_units_bound_pools_of_different_sizes() -> None:
    slots = [slot("small", units=1), slot("large", node_mib=4 * NODE, units=4)]
    counts = more(slots, 1000, max_units=20)
    assert counts["small"] + 4 * counts["large"] <= 20
    assert counts["small"] + 4 * counts["large"] > 15
    filled = place_more(
        slots, wanted_mib=0, min_nodes=0, max_nodes=99, on_demand_min_nodes=0, limits=Limits(min_units=6)
    )
    assert filled["small"] + 4 * filled["large"] >= 6


def test_no_more_nodes_than_the_subnet_has_addresses_for() -> None:
    slots = [slot("a", 3, billed=3), slot("b", 1, billed=3)]
    counts = more(slots, 50, free_addresses=2)
    assert max(counts["a"] - 3, 0) + max(counts["b"] - 3, 0) == 2
    assert why_no_more([slot("a", 3, billed=3)], max_nodes=9, limits=Limits(free_addresses=0)) is (
        Reason.NO_FREE_ADDRESSES
    )


def test_a_scale_in_keeps_what_a_scale_out_would_have_bought() -> None:
    present = [slot("a", 8, usd="0.10"), slot("b", 8, usd="0.11"), slot("c", 8, usd="0.12"), on_demand(8)]
    assert fewer(present, 10) == {"a": 4, "b": 4, "c": 2, "od": 0}
    assert fewer(present, 10, floor=3)["od"] == 3
    assert fewer(present, 10, spot_share=0.0) == {"a": 1, "b": 1, "c": 0, "od": 8}


def test_named_nodes_stay_whatever_is_wanted() -> None:
    slots = [slot("a", 4, usd="0.10"), slot("b", 4, usd="0.11")]
    bounds = PlacementBounds(wanted_mib=0, min_nodes=0, max_nodes=9, on_demand_min_nodes=0)
    assert place_fewer_keeping(slots, {"b": 3}, bounds) == {"a": 0, "b": 3}


@pytest.mark.parametrize("usd", [None, "0.1"])
def test_a_cluster_of_nothing_stays_nothing(usd: str | None) -> None:
    assert more([], 10) == {}
    assert fewer([slot("a", usd=usd)], 10) == {"a": 0}


@given(number=st.integers(0, 2**32))
def test_there_is_room_where_the_bounds_allow_one_node_more_of_an_open_group(number: int) -> None:
    chance = random.Random(number)
    slots = [
        slot(
            name,
            chance.randint(0, 3),
            usd=chance.choice((None, "0.1", "0.2")),
            open=chance.random() < 0.7,
            units=chance.choice((1.0, 4.0)),
            billed=chance.randint(0, 4),
        )
        for name in "abc"
    ]
    limits = Limits(
        max_units=chance.choice((math.inf, chance.randint(0, 30))),
        max_usd_per_hour=chance.choice((None, Decimal(chance.randint(0, 20)) / 10)),
        free_addresses=chance.choice((None, chance.randint(0, 3))),
    )
    most = chance.randint(0, 9)
    bounds = Bounds(slots, most, limits, with_billed=True)
    counts = {s.group_id: s.count for s in slots}
    payable = [s for s in slots if s.open and (limits.max_usd_per_hour is None or s.usd_per_hour is not None)]
    wanted = any(bounds.keep({**counts, s.group_id: s.count + 1}) for s in payable)
    assert has_room(slots, max_nodes=most, limits=limits) is wanted
