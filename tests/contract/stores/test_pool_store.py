"""What use cases may rely on of pool health, in memory and on DynamoDB."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from tests.support.samples import T0
from tests.support.strategies import of

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.errors import ConflictError
from emr_autoscaler.domain.memory import PoolHealth, PoolKey

KEY = PoolKey(instance_type="m5.xlarge", availability_zone="eu-central-1a")
COOLING = PoolHealth(key=KEY, cooling_until=T0, cooling_for=timedelta(minutes=10), last_trouble_at=T0)


def test_a_pool_never_seen_is_healthy(backend):
    assert backend.pools.get([KEY]) == (PoolHealth(key=KEY),)


def test_health_comes_in_the_order_asked_for(backend):
    other = PoolKey(instance_type="m4.xlarge", availability_zone="eu-central-1a")
    stored = backend.pools.put(COOLING)

    assert backend.pools.get([other, KEY, other]) == (PoolHealth(key=other), stored, PoolHealth(key=other))


def test_nothing_asked_for_is_nothing(backend):
    assert backend.pools.get([]) == ()


def test_the_markets_of_a_type_are_pools_of_their_own(backend):
    on_demand = replace(KEY, market=Market.ON_DEMAND)
    backend.pools.put(COOLING)

    assert backend.pools.get([on_demand]) == (PoolHealth(key=on_demand),)


def test_later_health_replaces_earlier(backend):
    recovered = replace(backend.pools.put(COOLING), cooling_until=None, rebalance_at=T0)
    stored = backend.pools.put(recovered)

    assert stored == replace(recovered, version=recovered.version + 1)
    assert backend.pools.get([KEY]) == (stored,)


def test_health_that_somebody_else_changed_meanwhile_is_not_overwritten(backend):
    read = backend.pools.put(COOLING)
    theirs = backend.pools.put(replace(read, interruptions=1.0))

    with pytest.raises(ConflictError):
        backend.pools.put(replace(read, rebalance_at=T0))
    with pytest.raises(ConflictError):
        backend.pools.put(PoolHealth(key=KEY))
    assert backend.pools.get([KEY]) == (theirs,)


def test_more_pools_than_one_call_reads_are_all_found(backend):
    healths = [replace(COOLING, key=replace(KEY, instance_type=f"m5.{n}")) for n in range(130)]
    stored = tuple(backend.pools.put(health) for health in healths)

    assert backend.pools.get([health.key for health in healths]) == stored


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(health=of(PoolHealth))
def test_any_health_reads_back_as_it_was_written(backend, health):
    (known,) = backend.pools.get([health.key])
    stored = backend.pools.put(replace(health, version=known.version))

    assert stored == replace(health, version=known.version + 1)
    assert backend.pools.get([health.key]) == (stored,)
