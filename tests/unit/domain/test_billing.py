"""Cluster-hours computed by hand, and what holds of every bill."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.billed_lives import (
    BOOK,
    FEE,
    H12,
    H13,
    HOUR,
    ON_DEMAND,
    REGION,
    SPOT,
    draw_lives,
    instance,
    price,
    seconds,
    spot,
)

from emr_autoscaler.domain.billing import bill_hour
from emr_autoscaler.domain.cluster import Market, Volume
from emr_autoscaler.domain.costs import BilledInstance, CostLine, exact_sum
from emr_autoscaler.domain.errors import PriceMissingError
from emr_autoscaler.domain.policy import CostPolicy
from emr_autoscaler.domain.price_book import Component, Price, PriceBook
from emr_autoscaler.domain.rates import needed_prices

OCTOBER_SECONDS = 31 * 86400


def bill(
    hour: datetime, *instances: BilledInstance, prices: Sequence[Price] = BOOK, **policy: Any
) -> tuple[CostLine, ...]:
    return bill_hour(hour, instances, PriceBook(prices), region=REGION, policy=CostPolicy(**policy)).lines


def usd(lines: Sequence[CostLine], component: Component | None = None) -> Decimal:
    """The sum to a millionth of a millionth: costs are products of a quantity kept that exactly."""
    exact = exact_sum(x.effective_cost_usd for x in lines if component in {None, x.component})
    return exact.quantize(Decimal("1e-12"))


def test_a_whole_hour_costs_the_fee_and_the_instance() -> None:
    lines = bill(H12, instance(H12 - HOUR))
    assert {line.component: line.effective_cost_usd for line in lines} == {
        Component.EMR_FEE: Decimal("0.048"),
        Component.EC2_ON_DEMAND: Decimal("0.192"),
    }


def test_a_part_of_an_hour_is_billed_by_the_second() -> None:
    lines = bill(H12, instance(H12 + seconds(600), H12 + seconds(1500)))
    assert usd(lines, Component.EC2_ON_DEMAND) == Decimal("0.192") * 900 / 3600
    assert lines[0].quantity == Decimal("0.25")


def test_a_minute_is_the_least_and_spills_into_the_next_hour() -> None:
    brief = instance(H13 - seconds(20), H13 - seconds(5))
    assert usd(bill(H12, brief), Component.EMR_FEE) == (Decimal("0.048") * 20 / 3600).quantize(Decimal("1e-12"))
    assert usd(bill(H13, brief), Component.EMR_FEE) == (Decimal("0.048") * 40 / 3600).quantize(Decimal("1e-12"))


def test_a_life_of_an_hour_and_more_has_no_minimum_in_its_last_hour() -> None:
    assert usd(bill(H13, instance(H12, H13 + seconds(10))), Component.EMR_FEE) == (
        Decimal("0.048") * 10 / 3600
    ).quantize(Decimal("1e-12"))


def test_an_instance_that_ended_on_the_hour_costs_nothing_after_it() -> None:
    assert bill(H13, instance(H12, H13)) == ()


def test_an_instance_of_another_hour_is_in_no_line() -> None:
    assert bill(H12, instance(H13)) == ()
    assert bill(H13, instance(H12 - HOUR, H12)) == ()


def test_spot_follows_its_price_steps_to_the_second() -> None:
    steps = (SPOT, price(Component.EC2_SPOT, "m5.xlarge", "0.10", since=H12 + seconds(900), source="later"))
    lines = bill(H12, spot(H12), prices=(FEE, ON_DEMAND, *steps))
    amounts = {x.price_source: x.effective_cost_usd for x in lines if x.component is Component.EC2_SPOT}
    assert amounts == {"list": Decimal("0.0175"), "later": Decimal("0.075")}


def test_the_list_cost_of_spot_is_the_on_demand_rate() -> None:
    (line,) = [x for x in bill(H12, spot(H12)) if x.component is Component.EC2_SPOT]
    assert (line.effective_cost_usd, line.list_cost_usd) == (Decimal("0.07"), Decimal("0.192"))


@pytest.mark.parametrize(("first_hour_fee", "components"), [(True, {Component.EMR_FEE}), (False, set())])
def test_spot_that_aws_takes_back_in_its_first_hour_costs_no_ec2(
    *, first_hour_fee: bool, components: set[Component]
) -> None:
    taken = spot(H13 - seconds(1800), H13 + seconds(1799), interrupted=True)
    for hour in (H12, H13):
        assert {x.component for x in bill(hour, taken, first_hour_fee=first_hour_fee)} == components


def test_spot_that_aws_takes_back_after_an_hour_is_paid_for() -> None:
    taken = spot(H12, H13, interrupted=True)
    assert usd(bill(H12, taken), Component.EC2_SPOT) == Decimal("0.07")


def test_on_demand_that_ended_early_is_paid_for_even_if_called_interrupted() -> None:
    assert usd(bill(H12, instance(H12, H12 + seconds(360), interrupted=True)), Component.EC2_ON_DEMAND) > 0


@pytest.mark.parametrize(
    ("volume", "month_usd"),
    [
        (Volume(volume_type="gp2", size_gib=100), "10.0"),
        (Volume(volume_type="gp2", size_gib=100, iops=9000), "10.0"),
        (Volume(volume_type="gp3", size_gib=100), "8.0"),
        (Volume(volume_type="gp3", size_gib=100, iops=3000, throughput_mibps=125), "8.0"),
        (Volume(volume_type="gp3", size_gib=100, iops=4000, throughput_mibps=225), "17.0"),
        (Volume(volume_type="io1", size_gib=100, iops=1000), "77.5"),
        (Volume(volume_type="st1", size_gib=500), "22.5"),
    ],
)
def test_volumes_cost_their_share_of_the_calendar_month(volume: Volume, month_usd: str) -> None:
    lines = bill(H12, instance(H12, volumes=(volume,)))
    assert usd(lines, Component.EBS) == pytest.approx(
        Decimal(month_usd) * 3600 / OCTOBER_SECONDS, abs=Decimal("1e-11")
    )


def test_a_short_month_makes_the_hour_dearer() -> None:
    volume = Volume(volume_type="gp2", size_gib=100)
    february = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
    cost = usd(bill(february, instance(february, volumes=(volume,))), Component.EBS)
    assert cost == pytest.approx(Decimal(10) * 3600 / (28 * 86400), abs=Decimal("1e-11"))


def test_volumes_have_no_minimum() -> None:
    brief = instance(H12, H12 + seconds(15), volumes=(Volume(volume_type="gp2", size_gib=100),))
    cost = usd(bill(H12, brief), Component.EBS)
    assert cost == pytest.approx(Decimal(10) * 15 / OCTOBER_SECONDS, abs=Decimal("1e-11"))


def test_instances_of_a_group_share_a_line_and_groups_do_not() -> None:
    lines = bill(
        H12,
        instance(H12),
        instance(H12, ec2_instance_id="i-2"),
        instance(H12, ec2_instance_id="i-3", group_id="ig-2"),
    )
    fees = {x.group_id: (x.instances, x.quantity) for x in lines if x.component is Component.EMR_FEE}
    assert fees == {"ig-1": (2, 2), "ig-2": (1, 1)}


@pytest.mark.parametrize("missing", [FEE, ON_DEMAND, SPOT])
def test_a_price_nobody_knows_is_not_invented(missing: Price) -> None:
    prices = [p for p in BOOK if p is not missing]
    with pytest.raises(PriceMissingError, match=missing.key.item):
        bill(H12, spot(H12), prices=prices)


def test_a_price_that_came_into_force_later_is_not_used_for_before() -> None:
    with pytest.raises(PriceMissingError):
        bill(H12, instance(H12), prices=(replace(FEE, effective_from=H13), ON_DEMAND))


def test_fractions_of_a_second_do_not_get_lost_between_hours() -> None:
    early = timedelta(milliseconds=700)
    life = instance(H12 + early, H13 + timedelta(milliseconds=300))
    total = sum(
        (x.quantity for hour in (H12, H13) for x in bill(hour, life) if x.component is Component.EMR_FEE),
        Decimal(0),
    )
    assert total == Decimal(1)


def test_every_price_a_bill_needs_is_named_beforehand() -> None:
    disks = (Volume(volume_type="gp3", size_gib=10, iops=4000, throughput_mibps=200),)
    both = (instance(H12, volumes=disks), spot(H12, ec2_instance_id="i-2"))
    needed = {(key.component, key.item) for key in needed_prices(both, REGION)}
    billed = {(line.component, line.item) for line in bill(H12, *both)}
    assert billed <= needed


# --------------------------------------------------------------------------- whatever the lives


def by_hand(life: BilledInstance, component: Component, prices: Sequence[Price], until: datetime) -> Decimal:
    """The whole life second by second, without hours: slow, and by other code."""
    end = until if life.ended_at is None else min(until, max(life.ended_at, life.started_at + seconds(60)))
    book = PriceBook(prices)
    key = next(k for k in needed_prices((life,), REGION) if k.component is component)
    edges = sorted(
        {life.started_at, end, *(p.effective_from for p in prices if life.started_at < p.effective_from < end)}
    )
    parts = (book.at(key, a).usd * int((b - a).total_seconds()) / 3600 for a, b in pairwise(edges))
    return sum(parts, Decimal(0))


@settings(max_examples=60)
@given(number=st.integers(0, 2**40))
def test_the_hours_of_a_life_add_up_to_the_whole_of_it(number: int) -> None:
    lives, prices = draw_lives(number)
    hours = [H12 + n * HOUR for n in range(6)]
    end = hours[-1] + HOUR
    for life in lives:
        lines = [line for hour in hours for line in bill(hour, life, prices=prices)]
        free = (
            life.interrupted
            and life.market is Market.SPOT
            and life.ended_at is not None
            and life.ended_at - life.started_at < HOUR
        )
        own = Component.EC2_SPOT if life.market is Market.SPOT else Component.EC2_ON_DEMAND
        wanted = Decimal(0) if free else by_hand(life, own, prices, end)
        assert usd(lines, own) == pytest.approx(wanted, abs=Decimal("1e-10"))
        assert usd(lines, Component.EMR_FEE) == pytest.approx(
            by_hand(life, Component.EMR_FEE, prices, end), abs=Decimal("1e-10")
        )


@settings(max_examples=60)
@given(number=st.integers(0, 2**40))
def test_a_bill_is_the_sum_of_its_instances_and_nothing_is_negative(number: int) -> None:
    lives, prices = draw_lives(number)
    for hour in (H12, H13, H13 + HOUR):
        whole = bill(hour, *lives, prices=prices)
        parts = [line for life in lives for line in bill(hour, life, prices=prices)]
        assert usd(whole) == pytest.approx(usd(parts), abs=Decimal("1e-10"))
        assert all(min(x.quantity, x.effective_cost_usd, x.list_cost_usd) >= 0 for x in whole)
        assert all(x.price_source for x in whole)


@settings(max_examples=30)
@given(number=st.integers(0, 2**40))
def test_the_order_of_instances_changes_nothing(number: int) -> None:
    lives, prices = draw_lives(number)
    assert bill(H13, *lives, prices=prices) == bill(H13, *reversed(lives), prices=prices)
