"""Instance fleets: what is read of them and what may be ordered, on both faces of the World."""

from datetime import timedelta

import pytest
from tests.support.worlds import cluster, fleet, fleet_cluster, run_cluster

from emr_autoscaler.adapters.emr_actuator import DryRunActuator
from emr_autoscaler.domain import cluster as domain
from emr_autoscaler.domain.errors import NotFoundError, RefusedError
from emr_autoscaler.domain.fleets import FleetTarget, FleetType
from emr_autoscaler.ports import NewTaskFleet
from emr_simulator.descriptions import VolumeSpec
from emr_simulator.fleet_descriptions import FleetSpec, FleetTypeSpec
from emr_simulator.words import Role

UNKNOWN = "j-2UNKNOWNUNKNO"
TYPES = {"m5.xlarge": 1, "m5.2xlarge": 2}
PROVISIONED = timedelta(minutes=10)


def a_task_fleet(on_demand=0, *, spot=4):
    return fleet(Role.TASK, on_demand, spot=spot, types=TYPES)


def fleets_of(aws, cluster_id):
    return {f.role: f for f in aws.reader.list_instance_fleets(cluster_id)}


def task_of(aws, cluster_id):
    return fleets_of(aws, cluster_id)[domain.Role.TASK]


def target(seen, *, on_demand=0, spot=0):
    return FleetTarget(
        fleet_id=seen.fleet_id,
        on_demand_units=on_demand,
        spot_units=spot,
        previous_on_demand_units=seen.target_on_demand_units,
        previous_spot_units=seen.target_spot_units,
    )


def new_fleet(spot=1, **changes):
    values = {
        "name": "ours",
        "types": tuple(FleetType(instance_type=t, units=u) for t, u in TYPES.items()),
        "on_demand_units": 0,
        "spot_units": spot,
        "give_up_spot_after": timedelta(minutes=5),
    }
    return NewTaskFleet(**values | changes)


def test_fleets_are_described_with_their_units_types_and_weights(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster(core=2, task=a_task_fleet(1, spot=4)))
    assert aws.reader.describe_cluster(cluster_id).uses_fleets
    found = fleets_of(aws, cluster_id)
    assert set(found) == set(domain.Role)
    task = found[domain.Role.TASK]
    assert task.fleet_id.startswith("if-")
    assert (task.name, task.state) == ("task", domain.GroupState.RUNNING)
    assert (task.target_on_demand_units, task.target_spot_units) == (1, 4)
    assert (task.provisioned_on_demand_units, task.provisioned_spot_units) == (1, 4)
    assert {t.instance_type: t.units for t in task.types} == TYPES
    assert found[domain.Role.CORE].provisioned_units == 2


def test_volumes_of_a_fleet_are_those_of_each_type(aws):
    named = FleetTypeSpec(
        instance_type="m5.2xlarge", units=2, volumes=(VolumeSpec(volume_type="gp3", size_gib=100),) * 2
    )
    types = (FleetTypeSpec(instance_type="m5.xlarge"), named)
    cluster_id = run_cluster(aws.world, fleet_cluster(task=FleetSpec(role=Role.TASK, types=types, spot_units=3)))
    task = task_of(aws, cluster_id)
    sizes = {t.instance_type: tuple(v.size_gib for v in t.volumes) for t in task.types}
    assert sizes == {"m5.xlarge": (32, 32), "m5.2xlarge": (100, 100)}
    listed = [i for i in aws.reader.list_instances(cluster_id) if i.group_id == task.fleet_id]
    assert {i.instance_type for i in listed} <= set(sizes)
    assert all(tuple(v.size_gib for v in i.volumes) == sizes[i.instance_type] for i in listed)
    assert {i.market for i in listed} == {domain.Market.SPOT}


def test_a_cluster_with_groups_has_no_fleets_and_the_refusal_says_so(aws):
    cluster_id = run_cluster(aws.world, cluster())
    with pytest.raises(RefusedError, match="uses instance groups"):
        aws.reader.list_instance_fleets(cluster_id)
    with pytest.raises(RefusedError, match="uses instance groups"):
        aws.actuator.add_task_fleet(cluster_id, new_fleet())


def test_calls_on_an_unknown_cluster_or_fleet_find_nothing(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster(task=a_task_fleet()))
    seen = task_of(aws, cluster_id)
    order = target(seen, spot=2)
    with pytest.raises(NotFoundError):
        aws.reader.list_instance_fleets(UNKNOWN)
    with pytest.raises(NotFoundError):
        aws.actuator.resize_fleet(UNKNOWN, order)
    with pytest.raises(NotFoundError):
        aws.actuator.resize_fleet(
            cluster_id,
            FleetTarget(
                fleet_id="if-2UNKNOWNUNKNO",
                on_demand_units=0,
                spot_units=1,
                previous_on_demand_units=0,
                previous_spot_units=0,
            ),
        )


def test_an_order_of_units_is_carried_out_in_both_markets_and_repeating_it_changes_nothing(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster(task=a_task_fleet()))
    order = target(task_of(aws, cluster_id), on_demand=2, spot=6)
    for _ in range(2):
        aws.actuator.resize_fleet(cluster_id, order)
        assert task_of(aws, cluster_id).state is domain.GroupState.RESIZING
    aws.world.run_for(PROVISIONED)
    task = task_of(aws, cluster_id)
    assert (task.provisioned_on_demand_units, task.provisioned_spot_units) == (2, 6)
    assert task.state is domain.GroupState.RUNNING


def test_a_shrink_drains_and_a_grow_takes_it_back(aws, busy_job):
    cluster_id = run_cluster(aws.world, fleet_cluster(core=1, task=a_task_fleet()))
    for _ in range(2):
        aws.world.submit_job(cluster_id, busy_job)
    aws.world.run_for(timedelta(minutes=1))
    before = task_of(aws, cluster_id)
    aws.actuator.resize_fleet(cluster_id, target(before, spot=0))
    aws.world.run_for(timedelta(minutes=5))
    assert task_of(aws, cluster_id).provisioned_spot_units == 4
    aws.actuator.resize_fleet(cluster_id, target(before, spot=4))
    aws.world.run_for(timedelta(hours=1))
    assert task_of(aws, cluster_id).provisioned_spot_units == 4
    assert aws.world.yarn(cluster_id).killed_apps == 0
    ended = [i for i in aws.reader.list_instances(cluster_id) if i.ended_at]
    assert ended == []


def test_a_core_fleet_is_not_shrunk_below_replication(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster(core=4, dfs_replication=3))
    core = fleets_of(aws, cluster_id)[domain.Role.CORE]
    with pytest.raises(RefusedError, match="replication"):
        aws.actuator.resize_fleet(cluster_id, target(core, on_demand=2))
    aws.actuator.resize_fleet(cluster_id, target(core, on_demand=3))


def test_the_master_fleet_is_not_resized(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster())
    master = fleets_of(aws, cluster_id)[domain.Role.MASTER]
    with pytest.raises(RefusedError):
        aws.actuator.resize_fleet(cluster_id, target(master, on_demand=2))


def test_a_task_fleet_is_created_once(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster())
    fleet_id = aws.actuator.add_task_fleet(cluster_id, new_fleet())
    aws.world.run_for(PROVISIONED)
    task = task_of(aws, cluster_id)
    assert (task.fleet_id, task.name, task.provisioned_spot_units) == (fleet_id, "ours", 1)
    assert {t.instance_type: t.units for t in task.types} == TYPES
    with pytest.raises(RefusedError, match="already has a task"):
        aws.actuator.add_task_fleet(cluster_id, new_fleet())


def test_no_fleet_is_created_at_zero_units(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster())
    with pytest.raises(RefusedError, match="should be greater than 0"):
        aws.actuator.add_task_fleet(cluster_id, new_fleet(spot=0))


def test_a_new_fleet_that_gets_no_spot_is_covered_on_demand(aws):
    world = aws.world
    cluster_id = run_cluster(world, fleet_cluster())
    zone = aws.reader.describe_cluster(cluster_id).availability_zone
    for kind in TYPES:
        world.dry_pool(kind, zone, world.now + timedelta(hours=3))
    aws.actuator.add_task_fleet(cluster_id, new_fleet(spot=2))
    world.run_for(timedelta(minutes=20))
    task = task_of(aws, cluster_id)
    assert (task.target_on_demand_units, task.target_spot_units) == (0, 2)
    assert (task.provisioned_on_demand_units, task.provisioned_spot_units) == (2, 0)


def test_the_dry_run_touches_no_fleet(aws):
    cluster_id = run_cluster(aws.world, fleet_cluster(task=a_task_fleet()))
    before = aws.reader.list_instance_fleets(cluster_id)
    dry = DryRunActuator()
    dry.resize_fleet(cluster_id, target(task_of(aws, cluster_id), spot=9))
    assert dry.add_task_fleet(cluster_id, new_fleet()) is None
    assert aws.reader.list_instance_fleets(cluster_id) == before
