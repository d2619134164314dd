"""The health of a fleet's spot side, from its own requests and the pools of its types."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.scenes import NOW, ZONE, minutes

from emr_autoscaler.domain.cluster import GroupState, Role
from emr_autoscaler.domain.fleet_pools import health_of_spot_side, spot_steps_launched, task_nodes_in_size_of
from emr_autoscaler.domain.fleets import FleetType, InstanceFleet
from emr_autoscaler.domain.memory import PoolHealth, PoolKey
from emr_autoscaler.domain.pools import cool_pool

FLEET = InstanceFleet(
    fleet_id="if-task",
    role=Role.TASK,
    state=GroupState.RUNNING,
    target_on_demand_units=2,
    target_spot_units=15,
    provisioned_on_demand_units=2,
    provisioned_spot_units=15,
    types=(FleetType(instance_type="m5.xlarge", units=2), FleetType(instance_type="m5.4xlarge", units=8)),
)


def pool(name: str, **seen: float) -> PoolHealth:
    return PoolHealth(key=PoolKey(instance_type=name, availability_zone=ZONE), experience_at=NOW, **seen)


OWN = PoolHealth(key=PoolKey(instance_type="if-task", availability_zone=ZONE))
SMALL = pool("m5.xlarge", interruptions=2.0, node_hours=10.0)
LARGE = pool("m5.4xlarge", interruptions=1.0, node_hours=30.0)


def test_the_experience_of_a_fleet_is_that_of_its_types_together() -> None:
    found = health_of_spot_side(OWN, (SMALL, LARGE), NOW)
    assert (found.key, found.interruptions, found.node_hours) == (OWN.key, 3.0, 40.0)


def test_the_experience_of_each_type_has_faded_by_its_own_age() -> None:
    old = replace(LARGE, experience_at=NOW - timedelta(hours=24))
    found = health_of_spot_side(OWN, (SMALL, old), NOW)
    assert (found.interruptions, found.node_hours) == pytest.approx((2.5, 25.0))
    assert found.experience_at == NOW


def test_where_nothing_was_seen_the_riskiest_type_counts() -> None:
    assert health_of_spot_side(OWN, (SMALL, LARGE), NOW).bucket is None
    assert health_of_spot_side(OWN, (replace(SMALL, bucket=1), replace(LARGE, bucket=3)), NOW).bucket == 3


def test_one_type_that_cools_does_not_close_the_fleet_and_all_of_them_do_until_the_first_is_over() -> None:
    cold, colder = cool_pool(SMALL, NOW), cool_pool(LARGE, NOW + minutes(4))
    assert not health_of_spot_side(OWN, (cold, LARGE), NOW).is_cooling(NOW)
    later = NOW + minutes(5)
    found = health_of_spot_side(OWN, (cold, colder), later)
    assert found.is_cooling(later)
    assert found.cooling_until == cold.cooling_until


def test_a_fleet_without_types_is_as_its_own_requests_say() -> None:
    assert not health_of_spot_side(OWN, (), NOW).is_cooling(NOW)
    assert health_of_spot_side(cool_pool(OWN, NOW), (), NOW).is_cooling(NOW)


def test_nodes_are_counted_in_the_size_of_the_warned_one() -> None:
    assert task_nodes_in_size_of((FLEET,), "m5.4xlarge") == 3
    assert task_nodes_in_size_of((FLEET,), "m5.xlarge") == 9
    assert task_nodes_in_size_of((), "m5.xlarge") == 1


def test_launched_instances_count_in_steps() -> None:
    assert spot_steps_launched(FLEET, ["m5.xlarge", "m5.4xlarge"]) == 5
