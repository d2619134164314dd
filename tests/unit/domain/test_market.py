"""Risk-adjusted costs by hand: the formulas of docs/spot.md with the numbers written out."""

import math
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.scenes import NOW, ZONE, minutes, prices, task_group

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.market import (
    faded_experience,
    interruptions_per_node_hour,
    useful_gib_hour_usd,
    with_interruption,
    with_node_hours,
)
from emr_autoscaler.domain.memory import PoolHealth, PoolKey
from emr_autoscaler.domain.node_prices import NodePrice

POOL = PoolHealth(key=PoolKey(instance_type="m5.xlarge", availability_zone=ZONE), bucket=4)
RATE0 = -math.log(0.7) / 730
PRICE = NodePrice(ec2_usd=Decimal("0.0672"), emr_usd=Decimal("0.048"), volumes_usd=Decimal("0.01"))


def test_a_pool_nobody_used_has_the_rate_of_its_bucket() -> None:
    assert interruptions_per_node_hour(POOL, NOW) == pytest.approx(RATE0)
    assert interruptions_per_node_hour(None, NOW) == pytest.approx(-math.log(0.875) / 730)


def test_what_was_seen_corrects_the_bucket() -> None:
    seen = PoolHealth(key=POOL.key, bucket=4, interruptions=5.0, node_hours=40.0, experience_at=NOW)
    assert interruptions_per_node_hour(seen, NOW) == pytest.approx((1 + 5) / (1 / RATE0 + 40))


def test_experience_counts_half_after_a_day() -> None:
    seen = with_interruption(with_node_hours(POOL, 8, since=NOW - minutes(60), now=NOW), NOW)
    assert (seen.interruptions, seen.node_hours) == (1.0, 8.0)
    later = faded_experience(seen, NOW + timedelta(hours=24))
    assert (later.interruptions, later.node_hours) == pytest.approx((0.5, 4.0))
    two_days = NOW + timedelta(hours=48)
    assert interruptions_per_node_hour(seen, two_days) == pytest.approx((1 + 0.25) / (1 / RATE0 + 2))


def test_a_useful_hour_on_spot_pays_for_lost_work_and_the_gap() -> None:
    lost = RATE0 * (0.25 + 0.07)
    cost = useful_gib_hour_usd(PRICE, market=Market.SPOT, node_mib=12288, health=POOL, now=NOW)
    assert float(cost) == pytest.approx(0.1152 / (12 * (1 - lost)))


def test_on_demand_is_never_interrupted() -> None:
    cost = useful_gib_hour_usd(PRICE, market=Market.ON_DEMAND, node_mib=12288, health=POOL, now=NOW)
    assert float(cost) == pytest.approx(0.1152 / 12)


def test_however_bad_a_pool_is_its_cost_is_finite_and_high() -> None:
    awful = PoolHealth(key=POOL.key, interruptions=1e9, node_hours=1.0, experience_at=NOW)
    cost = useful_gib_hour_usd(PRICE, market=Market.SPOT, node_mib=12288, health=awful, now=NOW)
    assert float(cost) == pytest.approx(0.1152 / (12 * 0.05))


def test_a_price_nobody_confirmed_for_two_hours_is_none() -> None:
    group = task_group("ig-A")
    known = prices({"ig-A": "0.06"}, confirmed_at=NOW - minutes(120))
    assert known.of(group, NOW) is not None
    assert known.of(group, NOW + minutes(1)) is None
    assert known.of(task_group("ig-B"), NOW) is None


def test_all_of_a_price_is_ec2_fee_and_volumes() -> None:
    assert PRICE.usd_per_hour == Decimal("0.1252")
