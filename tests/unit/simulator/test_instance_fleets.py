"""Instance fleets of the World: whole instances, types by price, events, quotas, and the bill."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.simulated import events_of
from tests.support.worlds import calm_world, fleet, fleet_cluster, run_cluster

from emr_simulator.errors import ApiError
from emr_simulator.fleet_descriptions import FleetResize
from emr_simulator.fleets import Fleet
from emr_simulator.words import BillComponent, Market, Role

TYPES = {"m5.xlarge": 1, "m5.2xlarge": 2}


def a_fleet_cluster(world, spot=4, on_demand=0, types=None, **options):
    task = fleet(Role.TASK, on_demand, spot=spot, types=types or TYPES)
    return run_cluster(world, fleet_cluster(task=task, **options))


def task_of(world, cluster_id) -> Fleet:
    (found,) = (g for g in world.inside(cluster_id).groups.values() if g.spec.role is Role.TASK)
    return found


def order(world, cluster_id, **units):
    there = task_of(world, cluster_id)
    before = {"on_demand_units": there.targets[Market.ON_DEMAND], "spot_units": there.targets[Market.SPOT]}
    world.emr.modify_instance_fleet(cluster_id, FleetResize(fleet_id=there.group_id, **before | units))


def held(world, cluster_id, market=Market.SPOT):
    return sorted(n.instance_type for n in task_of(world, cluster_id).nodes if n.market is market)


def test_a_fleet_cluster_comes_up_with_every_fleet_at_its_targets():
    world = calm_world()
    cluster_id = a_fleet_cluster(world, spot=3, on_demand=2)
    assert world.emr.describe_cluster(cluster_id).state.value == "WAITING"
    shown = {f.role: f for f in world.emr.list_instance_fleets(cluster_id)}
    assert {role: f.state.value for role, f in shown.items()} == dict.fromkeys(Role, "RUNNING")
    task = shown[Role.TASK]
    assert (task.provisioned_on_demand_units, task.provisioned_spot_units) == (2, 3)


def test_the_cheapest_unit_that_fits_is_bought():
    world = calm_world()
    cluster_id = a_fleet_cluster(world, spot=1)
    zone = world.inside(cluster_id).zone
    world.set_spot_price("m5.2xlarge", zone, Decimal("0.0001"))
    order(world, cluster_id, spot_units=4)
    world.run_for(timedelta(minutes=10))
    assert held(world, cluster_id) == ["m5.2xlarge", "m5.xlarge", "m5.xlarge"]


def test_a_type_that_cannot_be_had_is_replaced_by_another_even_above_the_target():
    world = calm_world()
    cluster_id = a_fleet_cluster(world, spot=2)
    world.dry_pool("m5.xlarge", world.inside(cluster_id).zone, world.now + timedelta(hours=1))
    order(world, cluster_id, spot_units=5)
    world.run_for(timedelta(minutes=10))
    assert task_of(world, cluster_id).provisioned(Market.SPOT) == 6


def test_whole_instances_leave_and_never_below_the_target():
    world = calm_world()
    cluster_id = a_fleet_cluster(world, spot=4, types={"m5.2xlarge": 2})
    order(world, cluster_id, spot_units=3)
    world.run_for(timedelta(minutes=10))
    assert task_of(world, cluster_id).provisioned(Market.SPOT) == 4
    order(world, cluster_id, spot_units=1)
    world.run_for(timedelta(minutes=10))
    assert task_of(world, cluster_id).provisioned(Market.SPOT) == 2


def test_a_target_left_out_stays():
    world = calm_world()
    cluster_id = a_fleet_cluster(world, spot=4, on_demand=1)
    order(world, cluster_id, on_demand_units=2)
    assert task_of(world, cluster_id).targets == {Market.ON_DEMAND: 2, Market.SPOT: 4}


def test_an_interrupted_instance_is_bought_anew_from_another_type():
    world = calm_world()
    cluster_id = a_fleet_cluster(world, spot=4)
    lost = task_of(world, cluster_id).nodes[0]
    world.dry_pool(lost.instance_type, world.inside(cluster_id).zone, world.now + timedelta(hours=1))
    world.warn_spot_interruption(lost.ec2_id)
    world.run_for(timedelta(minutes=15))
    assert lost.interrupted
    assert task_of(world, cluster_id).provisioned(Market.SPOT) >= 4


def test_dry_pools_are_told_and_asked_again():
    world = calm_world()
    cluster_id = a_fleet_cluster(world, spot=1)
    zone = world.inside(cluster_id).zone
    for kind in TYPES:
        world.dry_pool(kind, zone, world.now + timedelta(minutes=12))
    world.take_events()
    order(world, cluster_id, spot_units=3)
    world.run_for(timedelta(minutes=10))
    events = events_of(world, "EMR Instance Fleet Provisioning")
    assert {e["detail"]["eventCode"] for e in events} == {"EC2 provisioning - Insufficient Instance Capacity"}
    assert {e["detail"]["instanceFleetId"] for e in events} == {task_of(world, cluster_id).group_id}
    world.run_for(timedelta(minutes=20))
    assert task_of(world, cluster_id).provisioned(Market.SPOT) == 3


def test_a_resize_is_announced_when_it_begins_and_when_it_is_done():
    world = calm_world()
    cluster_id = a_fleet_cluster(world, spot=1)
    world.take_events()
    order(world, cluster_id, spot_units=3)
    world.run_for(timedelta(minutes=10))
    began, done = (e["detail"] for e in events_of(world, "EMR Instance Fleet State Change"))
    assert (began["state"], began["targetSpotCapacity"], began["provisionedSpotCapacity"]) == ("RESIZING", 3, 1)
    assert (done["state"], done["provisionedSpotCapacity"]) == ("RUNNING", 3)


def test_losing_the_master_of_a_fleet_ends_the_cluster():
    world = calm_world()
    spec = fleet_cluster()
    master = fleet(Role.MASTER, spot=1)
    cluster_id = run_cluster(world, type(spec)(name="spot master", fleets=(master, *spec.fleets[1:])))
    (lost,) = (n for n in world.inside(cluster_id).nodes() if n.group.spec.role is Role.MASTER)
    world.warn_spot_interruption(lost.ec2_id)
    world.run_for(timedelta(minutes=10))
    assert world.emr.describe_cluster(cluster_id).state.value == "TERMINATED_WITH_ERRORS"


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({}, "both targetOnDemandCapacity and targetSpotCapacity"),
        ({"spot_units": 3}, "both targetOnDemandCapacity and targetSpotCapacity"),
        ({"on_demand_units": 0, "spot_units": -1}, "below 0"),
    ],
    ids=["nothing", "one target", "below zero"],
)
def test_an_order_that_cannot_be_is_refused(order, words):
    world = calm_world()
    cluster_id = a_fleet_cluster(world)
    resize = FleetResize(fleet_id=task_of(world, cluster_id).group_id, **order)
    with pytest.raises(ApiError, match=words):
        world.emr.modify_instance_fleet(cluster_id, resize)


@pytest.mark.parametrize(
    "fleets",
    [
        (fleet(Role.CORE, 2),),
        (fleet(Role.MASTER, 1), fleet(Role.TASK, 2)),
        (fleet(Role.MASTER, 2), fleet(Role.CORE, 2)),
        (fleet(Role.MASTER, 1), fleet(Role.CORE, 0)),
        (fleet(Role.MASTER, 1), fleet(Role.CORE, 2), fleet(Role.CORE, 2)),
        (fleet(Role.MASTER, 1), fleet(Role.CORE, 2, types={"m5.xlarge": 0})),
    ],
    ids=["no master", "task without core", "two masters", "no units", "core twice", "no weight"],
)
def test_a_cluster_of_fleets_that_cannot_be_is_refused(fleets):
    with pytest.raises(ApiError, match="ValidationException"):
        calm_world().emr.run_job_flow(type(fleet_cluster())(name="bad", fleets=fleets))


def test_fleet_calls_have_the_smallest_quota():
    world = calm_world(enforce_quotas=True)
    cluster_id = a_fleet_cluster(world)
    for _ in range(5):
        world.emr.list_instance_fleets(cluster_id)
    with pytest.raises(ApiError, match="Throttling"):
        world.emr.list_instance_fleets(cluster_id)


def test_the_bill_of_a_fleet_is_that_of_each_instance_by_hand():
    world = calm_world()
    started = world.now
    cluster_id = a_fleet_cluster(world, spot=2, on_demand=1, types={"m5.2xlarge": 2})
    fleet_id = task_of(world, cluster_id).group_id
    world.run_until(started + timedelta(hours=1))
    bill = world.ledger.bill()
    lived_seconds = 3600 - 60
    assert len(task_of(world, cluster_id).nodes) == 2
    for component, usd_per_hour in (
        (BillComponent.EC2_ON_DEMAND, Decimal("0.384")),
        (BillComponent.EC2_SPOT, Decimal("0.384") * Decimal("0.35")),
    ):
        usd = bill.total_usd(cluster_id=cluster_id, group_id=fleet_id, component=component)
        assert abs(usd - usd_per_hour * lived_seconds / 3600) < Decimal("1e-12")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(0, 9), st.integers(0, 9)),
        st.tuples(st.just("warn"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("pass"), st.integers(1, 900), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=25)
@given(STEPS)
def test_whatever_is_ordered_whole_instances_meet_the_targets_and_every_second_of_them_is_billed(story):
    world = calm_world()
    types = {"m5.xlarge": 2, "m5.2xlarge": 3}
    cluster_id = a_fleet_cluster(world, spot=3, types=types)
    for kind, first, second in story:
        if kind == "order":
            order(world, cluster_id, on_demand_units=first, spot_units=second)
        elif kind == "warn":
            on_spot = [n for n in task_of(world, cluster_id).nodes if n.market is Market.SPOT and n.ec2_id]
            if on_spot:
                world.warn_spot_interruption(on_spot[first % len(on_spot)].ec2_id)
        else:
            world.run_for(timedelta(seconds=first))
    world.run_for(timedelta(hours=1))
    found = task_of(world, cluster_id)
    assert found.is_settled
    for market in Market:
        assert found.targets[market] <= found.provisioned(market) < found.targets[market] + max(types.values())
    now = world._kernel.now
    lived = 0
    for node in world.inside(cluster_id).nodes():
        if node.launched_at is not None:
            life = (now if node.ended_at is None else node.ended_at) - node.launched_at
            lived += life if node.ended_at is None else max(60, life)
    billed = sum(line.seconds for line in world.ledger.bill().lines if line.component is BillComponent.EMR_FEE)
    assert billed == lived
