"""A price whose date of effect lies after an hour that needs it: the hour is recorded with it, and says so."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.finance import RecordedWorld
from tests.support.worlds import START

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.errors import PriceMissingError
from emr_autoscaler.domain.price_book import Component, PriceKey

HOUR = timedelta(hours=1)
PUBLISHED = START + timedelta(hours=1, minutes=30)
KEY = PriceKey(component=Component.EMR_FEE, region="us-east-1", item="m5.xlarge")


@pytest.fixture
def world():
    """A cluster at 12:30 whose EMR fee is published with a date of effect of 13:30."""
    recorded = RecordedWorld(hours=0)
    honest = recorded.ports.price_list.look_up

    def dated(keys):
        return tuple(replace(p, effective_from=PUBLISHED) if p.key == KEY else p for p in honest(keys))

    recorded.ports.price_list.look_up = dated
    return recorded


def fee_lines(record):
    return [line for line in record.lines if line.component is Component.EMR_FEE]


def test_the_hour_is_recorded_with_the_earliest_known_price_and_both_say_so(world) -> None:
    world.record_next_hour()

    (record,) = world.records()
    assert len(record.assumptions) == 1
    assert record.assumptions[0].startswith("price of EMR_FEE m5.xlarge is known from 2026-10-05T13:30Z on only")
    assert {line.unit_price_usd for line in fee_lines(record)} == {world.ports.price_list.look_up([KEY])[0].usd}
    assert all("assumed before 2026-10-05T13:30Z" in line.price_source for line in fee_lines(record))


def test_from_its_date_on_nothing_is_assumed(world) -> None:
    for _ in range(3):
        world.record_next_hour()
    first, crossing, later = world.records()
    assert len(first.assumptions) == len(crossing.assumptions) == 1
    assert {"assumed" in line.price_source for line in fee_lines(crossing)} == {True, False}
    assert later.assumptions == ()


def test_an_assumed_price_is_never_kept_in_the_price_book(world) -> None:
    world.record_next_hour()
    kept = world.ports.costs.prices([KEY], start=START, end=START + timedelta(days=9))
    assert [price.effective_from for price in kept] == [PUBLISHED]


def test_the_price_that_was_in_force_restates_the_hour_once_it_is_known(world) -> None:
    world.record_next_hour()
    (assumed,) = world.records()
    (price,) = world.ports.costs.prices([KEY], start=START, end=START + timedelta(days=9))
    earlier = replace(
        price, effective_from=START - timedelta(days=30), usd=price.usd * 2, source="price list of May"
    )
    world.ports.costs.put_prices([earlier])
    world.record_next_hour()
    restated = world.records()[0]
    assert (restated.revision, restated.assumptions) == (2, ())
    assert restated.effective_cost_usd > assumed.effective_cost_usd
    assert {line.price_source for line in fee_lines(restated)} == {"price list of May"}


def test_a_price_that_nobody_publishes_stops_the_hour_still(world) -> None:
    honest = world.ports.price_list.look_up

    def unpublished(keys):
        if KEY in keys:
            raise PriceMissingError("no price is published")
        return honest(keys)

    world.ports.price_list.look_up = unpublished
    world.run_until(START + HOUR + timedelta(minutes=5))
    with pytest.raises(PriceMissingError):
        UseCases(world.ports).record_costs()
    assert world.records() == ()
