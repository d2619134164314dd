from decimal import Decimal

import pytest
from tests.support.simulated import (
    START,
    a_cluster,
    a_job,
    a_world,
    events_of,
    group_of,
    resize,
    seconds,
)

from emr_simulator.settings import SpotOutages
from emr_simulator.words import ENDING, InstanceState, Market, Role


def test_a_warning_is_sent_in_ec2s_irregular_shape():
    world = a_world()
    cluster_id = a_cluster(world, task=1)
    (node,) = group_of(world, cluster_id).nodes
    world.warn_spot_interruption(node.ec2_id)
    (event,) = events_of(world, "EC2 Spot Instance Interruption Warning")
    assert event["source"] == "aws.ec2"
    assert event["resources"] == [f"arn:aws:ec2:us-east-1a:instance/{node.ec2_id}"]
    assert event["detail"] == {"instance-id": node.ec2_id, "instance-action": "terminate"}


def test_a_warned_node_takes_no_more_containers_and_is_gone_after_two_minutes():
    world = a_world()
    cluster_id = a_cluster(world, task=1)
    (node,) = group_of(world, cluster_id).nodes
    world.warn_spot_interruption(node.ec2_id)
    world.submit_job(cluster_id, a_job(tasks=30, lasting=1000))
    world.run_for(seconds(119))
    assert node.yarn.containers == 0
    assert node.state is InstanceState.RUNNING
    world.run_for(seconds(1))
    (gone,) = world.ec2.describe_instances(instance_ids=[node.ec2_id])
    assert (gone.state, gone.state_reason_code) == ("terminated", "Server.SpotInstanceTermination")


def test_what_ran_on_an_interrupted_node_runs_again():
    world = a_world()
    cluster_id = a_cluster(world, core=1, task=1)
    world.submit_job(cluster_id, a_job(tasks=12, lasting=1000))
    world.run_for(seconds(10))
    (node,) = group_of(world, cluster_id).nodes
    world.warn_spot_interruption(node.ec2_id)
    world.run_for(seconds(121))
    yarn = world.yarn(cluster_id)
    assert (yarn.running, yarn.pending, yarn.lost_container_seconds) == (6, 6, 6 * 130)
    world.run_for(seconds(3600))
    assert yarn.done_container_seconds == 12 * 1000


def test_emr_orders_a_lost_node_again():
    world = a_world()
    cluster_id = a_cluster(world, task=2)
    group = group_of(world, cluster_id)
    world.warn_spot_interruption(group.nodes[0].ec2_id)
    world.run_for(seconds(120 + 299))
    assert group.running == 1
    world.run_for(seconds(1))
    assert group.running == 2


def test_lowering_the_count_before_a_warned_node_is_gone_orders_nothing_again():
    world = a_world()
    cluster_id = a_cluster(world, task=2)
    group = group_of(world, cluster_id)
    world.warn_spot_interruption(group.nodes[0].ec2_id)
    resize(world, cluster_id, 1)
    world.run_for(seconds(1000))
    assert (group.running, len(group.all_nodes)) == (1, 2)


def test_a_dry_pool_gives_nothing_and_says_so_repeatedly():
    world = a_world()
    cluster_id = a_cluster(world)
    world.dry_pool("m5.xlarge", "us-east-1a", world.now + seconds(900))
    group = resize(world, cluster_id, 2)
    world.run_for(seconds(600))
    events = events_of(world, "EMR Instance Group Provisioning")
    assert len(events) == 2
    assert events[0]["detail"]["eventCode"] == "EC2 provisioning - Insufficient Instance Capacity"
    assert events[0]["detail"]["instanceGroupId"] == group.group_id
    assert {node.state for node in group.nodes} == {InstanceState.AWAITING_FULFILLMENT}


def test_capacity_that_comes_back_is_used():
    world = a_world()
    cluster_id = a_cluster(world)
    world.dry_pool("m5.xlarge", "us-east-1a", world.now + seconds(900))
    group = resize(world, cluster_id, 2)
    world.run_for(seconds(900 + 60 + 240))
    assert group.running == 2


def test_a_dry_spot_pool_leaves_on_demand_capacity_alone():
    world = a_world()
    cluster_id = a_cluster(world, market=Market.ON_DEMAND)
    world.dry_pool("m5.xlarge", "us-east-1a", world.now + seconds(900))
    group = resize(world, cluster_id, 1)
    world.run_for(seconds(300))
    assert group.running == 1


def test_a_foreign_instance_can_be_warned_too():
    world = a_world()
    a_cluster(world)
    foreign = world.add_foreign_instance("m5.xlarge", "us-east-1b")
    world.warn_spot_interruption(foreign)
    world.recommend_rebalance(foreign)
    (warning,) = [e for e in world.take_events() if "Warning" in e["detail-type"]]
    assert warning["resources"] == [f"arn:aws:ec2:us-east-1b:instance/{foreign}"]


def test_maintenance_names_the_affected_instances():
    world = a_world()
    world.announce_maintenance(["i-1"])
    (event,) = world.take_events()
    assert (event["source"], event["detail-type"]) == ("aws.health", "AWS Health Event")
    assert event["detail"]["affectedEntities"][0]["entityValue"] == "i-1"


def test_losing_the_master_ends_the_cluster_with_errors():
    world = a_world()
    cluster_id = a_cluster(world)
    (master,) = group_of(world, cluster_id, Role.MASTER).nodes
    world.warn_spot_interruption(master.ec2_id)
    world.run_for(seconds(300))
    cluster = world.emr.describe_cluster(cluster_id)
    assert cluster.state in ENDING
    assert cluster.state.value == "TERMINATED_WITH_ERRORS"


def test_an_outage_interrupts_every_instance_of_its_pool_together():
    outages = SpotOutages(mean_up_seconds=3000.0)
    world = a_world(spot_outages=outages)
    cluster_id = a_cluster(world, task=5)
    warnings = []
    while not warnings and world.now < START + seconds(90_000):
        world.run_for(seconds(60))
        warnings = events_of(world, "EC2 Spot Instance Interruption Warning")
    assert len(warnings) == len({event["detail"]["instance-id"] for event in warnings}) == 5
    assert {event["time"] for event in warnings} == {warnings[0]["time"]}
    assert group_of(world, cluster_id).requested == 5


def history(world, start, end):
    return world.ec2.describe_spot_price_history(
        instance_types=["m5.xlarge"], availability_zone="us-east-1a", start=start, end=end
    )


def test_history_holds_the_price_in_force_at_its_start():
    world = a_world()
    world.set_spot_price("m5.xlarge", "us-east-1a", Decimal("0.05"))
    world.run_for(seconds(3600))
    world.set_spot_price("m5.xlarge", "us-east-1a", Decimal("0.07"))
    world.run_for(seconds(3600))
    prices = history(world, START + seconds(1800), world.now)
    assert [(p.at, p.usd_per_hour) for p in prices] == [
        (START + seconds(3600), Decimal("0.07")),
        (START, Decimal("0.05")),
    ]


def test_history_never_shows_the_future():
    world = a_world(spot_prices_move=True)
    world.run_for(seconds(7200))
    prices = history(world, START - seconds(86400), START + seconds(10 * 86400))
    assert max(p.at for p in prices) <= world.now


@pytest.mark.parametrize("seed", range(3))
def test_drawn_prices_stay_below_on_demand(seed):
    world = a_world(seed=seed, spot_prices_move=True)
    world.run_for(seconds(5 * 86400))
    prices = history(world, START - seconds(2 * 86400), world.now)
    assert len({p.usd_per_hour for p in prices}) > 5
    assert all(Decimal("0.02") < p.usd_per_hour < Decimal("0.192") for p in prices)


def test_drawn_prices_stay_around_the_discount_for_weeks():
    fractions = []
    for seed in range(30):
        world = a_world(seed=seed, spot_prices_move=True)
        world.run_for(seconds(30 * 86400))
        weeks = range(0, 30 * 86400, 7 * 86400)
        at = [history(world, START + seconds(week), START + seconds(week + 1))[-1] for week in weeks]
        fractions += [float(price.usd_per_hour) / 0.192 for price in at]
    # Steps that rise more often than they fall would bring it to 0.40 by then.
    assert sum(fractions) / len(fractions) == pytest.approx(0.35, abs=0.02)
