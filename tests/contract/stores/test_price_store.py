"""What the cost records may rely on of the price book, in memory and on DynamoDB."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from tests.support.samples import T0, price, price_key
from tests.support.strategies import of

from emr_autoscaler.domain.price_book import Component, Price

HOUR = timedelta(hours=1)
KEY = price_key(availability_zone="eu-central-1a")


def in_force(backend, *keys, start=T0, end=T0 + HOUR):
    return backend.costs.prices(keys or (KEY,), start=start, end=end)


def test_a_price_nobody_published_is_absent(backend):
    assert in_force(backend) == ()


def test_the_last_price_before_the_start_is_still_in_force(backend):
    old, current = price(KEY, "0.1", T0 - 9 * HOUR), price(KEY, "0.2", T0 - 2 * HOUR)
    backend.costs.put_prices([old, current])

    assert in_force(backend) == (current,)


def test_the_steps_of_an_hour_come_oldest_first(backend):
    steps = [price(KEY, f"0.{n}", T0 + (n - 1) * HOUR / 2) for n in range(1, 5)]  # the third at the end
    backend.costs.put_prices([price(KEY, "0.9", T0 - HOUR), *reversed(steps)])

    assert in_force(backend) == (steps[0], steps[1])


def test_a_price_from_the_very_start_replaces_the_one_before(backend):
    exact = price(KEY, "0.3", T0)
    backend.costs.put_prices([price(KEY, "0.2", T0 - timedelta(microseconds=1)), exact])

    assert in_force(backend) == (exact,)


def test_a_first_price_within_the_hour_stands_alone(backend):
    late = price(KEY, "0.3", T0 + HOUR / 2)
    backend.costs.put_prices([late])

    assert in_force(backend) == (late,)


def test_an_empty_interval_has_no_prices(backend):
    backend.costs.put_prices([price(KEY, "0.3", T0 - HOUR)])

    assert in_force(backend, end=T0) == ()


def test_the_same_key_and_date_replaces(backend):
    corrected = replace(price(KEY, "0.4"), source="a later publication")
    backend.costs.put_prices([price(KEY, "0.3")])
    backend.costs.put_prices([price(KEY, "0.5"), corrected])

    assert in_force(backend) == (corrected,)


def test_keys_that_resemble_each_other_stay_apart(backend):
    keys = [
        price_key(),
        KEY,
        replace(KEY, availability_zone="eu-central-1b"),
        price_key(component=Component.EMR_FEE),
        price_key(component=Component.EBS, item="gp3"),
        price_key(component=Component.EBS, item="gp3:iops"),
    ]
    prices = [price(key, f"0.{number}") for number, key in enumerate(keys, 1)]
    backend.costs.put_prices(prices)

    assert in_force(backend, *keys) == tuple(prices)
    assert in_force(backend, keys[2], keys[0], keys[2]) == (prices[2], prices[0])


def test_a_long_history_is_written_and_searched(backend):
    history = [price(KEY, f"0.{number:03}1", T0 + number * HOUR) for number in range(120)]
    backend.costs.put_prices(history)

    found = in_force(backend, start=T0 + 20.5 * HOUR, end=T0 + 100 * HOUR)
    assert found == tuple(history[20:100])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(stored=of(Price))
def test_any_price_reads_back_exactly(backend, stored):
    backend.costs.put_prices([stored])

    at = stored.effective_from
    assert backend.costs.prices([stored.key], start=at, end=at + HOUR)[:1] == (stored,)
