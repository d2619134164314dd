"""The task fleet that a policy's types make for a cluster that has none."""

import pytest

from emr_autoscaler.domain.cluster import GroupState, Role
from emr_autoscaler.domain.fleet_selection import WantedFleet, missing_task_fleet
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.policy import CapacityUnit, TaskPolicy, WorkloadProfile
from emr_autoscaler.domain.pool_selection import Availability


def wanted(*types: str, **policy: object) -> WantedFleet | None:
    return missing_task_fleet((), TaskPolicy(**{"instance_types": types, **policy}))


def weights(fleet: WantedFleet | None) -> dict[str, int]:
    assert fleet is not None
    return {kind.instance_type: kind.units for kind in fleet.types}


def test_an_instance_counts_by_its_memory() -> None:
    assert weights(wanted("m5.xlarge", "r5.xlarge", "m5.4xlarge")) == {
        "m5.xlarge": 1,
        "r5.xlarge": 2,
        "m5.4xlarge": 5,
    }


def test_a_type_of_unknown_memory_is_left_out_beside_known_ones_and_counts_one_alone() -> None:
    assert weights(wanted("m5.xlarge", "x9.odd")) == {"m5.xlarge": 1}
    assert weights(wanted("x9.odd", "y9.odd")) == {"x9.odd": 1, "y9.odd": 1}


@pytest.mark.parametrize(
    ("policy", "units"),
    [
        ({}, (0, 1)),
        ({"min_nodes": 4}, (0, 4)),
        ({"min_nodes": 4, "on_demand_min_nodes": 1}, (1, 3)),
        ({"on_demand_min_nodes": 2}, (2, 0)),
    ],
    ids=["nothing", "minimum", "minimum and floor", "floor"],
)
def test_it_begins_at_the_minimum_or_at_the_one_unit_emr_wants(policy: dict, units: tuple[int, int]) -> None:
    fleet = wanted("m5.xlarge", **policy)
    assert fleet is not None
    assert (fleet.on_demand_units, fleet.spot_units) == units


@pytest.mark.parametrize(
    "policy",
    [{"enabled": False}, {"max_nodes": 0}, {"instance_types": ()}],
    ids=["off", "none allowed", "no types"],
)
def test_a_policy_that_wants_no_task_nodes_makes_no_fleet(policy: dict) -> None:
    assert wanted("m5.xlarge", **policy) is None


def test_a_cluster_that_has_a_task_fleet_gets_no_other() -> None:
    there = InstanceFleet(
        fleet_id="if-1",
        role=Role.TASK,
        state=GroupState.RUNNING,
        target_on_demand_units=0,
        target_spot_units=1,
        provisioned_on_demand_units=0,
        provisioned_spot_units=1,
    )
    assert missing_task_fleet((there,), TaskPolicy(instance_types=("m5.xlarge",))) is None


def test_bounds_in_units_weigh_the_types_as_the_policy_does() -> None:
    weighed = wanted("m5.xlarge", "m5.2xlarge", unit=CapacityUnit.UNITS, weights={"m5.2xlarge": 3})
    assert weights(weighed) == {"m5.xlarge": 1, "m5.2xlarge": 3}


def test_types_that_cannot_be_had_are_no_part_of_the_fleet() -> None:
    policy = TaskPolicy(instance_types=("m5.xlarge", "m5.2xlarge"))
    only = frozenset({"m5.2xlarge"})
    made = missing_task_fleet((), policy, Availability(supported=only, offered=only))
    assert weights(made) == {"m5.2xlarge": 1}


def test_a_profile_gives_four_types() -> None:
    assert len(weights(missing_task_fleet((), TaskPolicy(profile=next(iter(WorkloadProfile)))))) == 4
