"""An hour is computed again only where its own facts have changed; then it always is."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.billed_lives import (
    BOOK,
    H12,
    H13,
    HOUR,
    LONG_AGO,
    REGION,
    draw_lives,
    instance,
    price,
    seconds,
    spot,
)

from emr_autoscaler.domain.billing import bill_hour
from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.cost_history import HourRevision
from emr_autoscaler.domain.costs import BilledInstance, HourRecord
from emr_autoscaler.domain.policy import CostPolicy
from emr_autoscaler.domain.price_book import Component, Price, PriceBook
from emr_autoscaler.domain.restatement import has_same_facts


def recorded(instances: Sequence[BilledInstance], prices: Sequence[Price] = BOOK) -> HourRevision:
    """The hour from 13:00 as it is recorded with these facts."""
    bill = bill_hour(H13, instances, PriceBook(prices), region=REGION, policy=CostPolicy())
    record = HourRecord(
        account_id="1",
        region=REGION,
        cluster_id="j-1",
        cluster_name="",
        hour=H13,
        cost_centre="a",
        lines=bill.lines,
        recorded_at=H13 + HOUR,
    )
    return HourRevision(record=record, instances=bill.instances)


def changed(life: BilledInstance, chance: random.Random) -> BilledInstance:
    """The life with one fact known otherwise."""
    later = life.started_at + seconds(chance.randint(0, 4 * 3600))
    changes: tuple[dict[str, object], ...] = (
        {"ended_at": later},
        {"ended_at": None},
        {"started_at": life.started_at - seconds(chance.randint(1, 7200))},
        {"interrupted": not life.interrupted},
        {"volumes": ()},
        {"group_id": "ig-other"},
    )
    other = replace(life, **chance.choice(changes))  # type: ignore[arg-type]
    return other if other.ended_at is None or other.started_at <= other.ended_at else life


@settings(max_examples=300)
@given(number=st.integers(0, 2**40))
def test_an_hour_of_the_same_facts_would_be_billed_the_same(number: int) -> None:
    chance = random.Random(number + 1)
    lives, prices = draw_lives(number)
    known = tuple(changed(life, chance) if chance.random() < 0.4 else life for life in lives)
    step = price(Component.EC2_SPOT, "m5.xlarge", "0.5", since=H12 + seconds(chance.randint(0, 3 * 3600)))
    book = PriceBook((*prices, step) if chance.random() < 0.3 else prices)
    if has_same_facts(recorded(lives, prices), known, book):
        now = bill_hour(H13, known, book, region=REGION, policy=CostPolicy())
        assert now.lines == recorded(lives, prices).record.lines


WHOLE, ENDED = instance(H12, ec2_instance_id="i-1"), spot(H12, H13 + HOUR / 2, ec2_instance_id="i-2")


@pytest.mark.parametrize(
    "known",
    [
        pytest.param((WHOLE, ENDED), id="nothing new"),
        pytest.param((replace(WHOLE, ended_at=H13 + 2 * HOUR), ENDED), id="an end in a later hour"),
        pytest.param((WHOLE, ENDED, spot(H13 + HOUR, ec2_instance_id="i-3")), id="an instance of a later hour"),
        pytest.param((WHOLE, replace(ENDED, volume_ids=("vol-1",))), id="ids of volumes"),
    ],
)
def test_what_happens_in_later_hours_is_no_fact_of_this_one(known: tuple[BilledInstance, ...]) -> None:
    assert has_same_facts(recorded((WHOLE, ENDED)), known, PriceBook(BOOK))


@pytest.mark.parametrize(
    ("known", "prices"),
    [
        pytest.param((WHOLE,), BOOK, id="an instance less"),
        pytest.param((WHOLE, replace(ENDED, market=Market.ON_DEMAND)), BOOK, id="another market"),
        pytest.param((WHOLE, replace(ENDED, ended_at=H13 + HOUR / 4)), BOOK, id="another end"),
        pytest.param(
            (WHOLE, ENDED),
            (*BOOK, price(Component.EC2_SPOT, "m5.xlarge", "0.09", since=H13 + HOUR / 4)),
            id="a step of the spot price",
        ),
        pytest.param(
            (WHOLE, ENDED), (*BOOK, price(Component.EMR_FEE, "m5.xlarge", "0.05", since=H12)), id="another fee"
        ),
        pytest.param(
            (WHOLE, ENDED),
            (*BOOK, price(Component.EC2_ON_DEMAND, "m5.xlarge", "0.2", since=LONG_AGO + HOUR)),
            id="another rate on demand",
        ),
    ],
)
def test_what_changes_an_hour_is_seen(known: tuple[BilledInstance, ...], prices: tuple[Price, ...]) -> None:
    assert not has_same_facts(recorded((WHOLE, ENDED)), known, PriceBook(prices))
