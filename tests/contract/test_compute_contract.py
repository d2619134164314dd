from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.worlds import START, cluster, run_cluster

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.errors import NotFoundError
from emr_autoscaler.domain.price_book import Component, PriceKey
from emr_simulator import words

ZONE = "us-east-1a"
HOUR = timedelta(hours=1)


def test_the_instances_of_a_cluster_are_found_by_its_tag(aws):
    run_cluster(aws.world)
    cluster_id = run_cluster(aws.world, cluster(core=2, spot=1, availability_zone=ZONE))

    found = aws.compute.find_cluster_instances(cluster_id)

    assert {i.ec2_instance_id for i in found} == {i.ec2_instance_id for i in aws.reader.list_instances(cluster_id)}
    assert sorted((i.role, i.market) for i in found) == [
        (Role.CORE, Market.ON_DEMAND),
        (Role.CORE, Market.ON_DEMAND),
        (Role.MASTER, Market.ON_DEMAND),
        (Role.TASK, Market.SPOT),
    ]
    assert {(i.cluster_id, i.instance_type, i.availability_zone, i.interrupted) for i in found} == {
        (cluster_id, "m5.xlarge", ZONE, False)
    }
    assert all(START <= i.launched_at <= aws.world.now for i in found)
    assert all(i.launched_at.utcoffset() == timedelta(0) for i in found)


def test_an_unknown_cluster_has_no_instances(aws):
    assert aws.compute.find_cluster_instances("j-NOSUCHCLUSTER") == ()


def test_a_foreign_instance_has_no_cluster_and_no_role(aws):
    foreign = aws.world.add_foreign_instance("m5.xlarge", ZONE)
    (found,) = aws.compute.find_instances([foreign])
    assert (found.ec2_instance_id, found.cluster_id, found.role) == (foreign, None, None)
    assert (found.market, found.availability_zone) == (Market.SPOT, ZONE)


def test_unknown_instances_are_left_out(aws):
    foreign = aws.world.add_foreign_instance("m5.xlarge", ZONE, market=words.Market.ON_DEMAND)
    found = aws.compute.find_instances(["i-0aaaaaaaaaaaaaaaa", foreign, foreign])
    assert [i.ec2_instance_id for i in found] == [foreign]
    assert aws.compute.find_instances(["i-0aaaaaaaaaaaaaaaa"]) == ()
    assert aws.compute.find_instances([]) == ()


def test_more_instances_than_a_filter_holds_are_all_found(aws):
    cluster_id = run_cluster(aws.world, cluster(core=1, task=250))
    ids = [i.ec2_instance_id for i in aws.compute.find_cluster_instances(cluster_id)]
    assert len(ids) == 252
    assert {i.ec2_instance_id for i in aws.compute.find_instances(ids)} == set(ids)


def test_an_interruption_is_proved_once_the_instance_is_gone(aws):
    cluster_id = run_cluster(aws.world, cluster(spot=1))
    (spot,) = (i for i in aws.compute.find_cluster_instances(cluster_id) if i.market is Market.SPOT)
    aws.world.warn_spot_interruption(spot.ec2_instance_id)

    (warned,) = aws.compute.find_instances([spot.ec2_instance_id])
    assert not warned.interrupted
    aws.world.run_for(timedelta(minutes=3))
    (gone,) = aws.compute.find_instances([spot.ec2_instance_id])
    assert gone.interrupted


def test_an_instance_that_was_sent_away_was_not_interrupted(aws):
    cluster_id = run_cluster(aws.world, cluster(spot=1))
    aws.actuator.terminate_cluster(cluster_id)
    aws.world.run_for(timedelta(minutes=10))
    assert not any(i.interrupted for i in aws.compute.find_cluster_instances(cluster_id))


def test_spot_prices_include_the_step_in_force_at_the_start_and_end_before_the_end(aws):
    world = aws.world
    for price in ("0.070", "0.080", "0.090"):
        world.set_spot_price("m5.xlarge", ZONE, Decimal(price))
        world.run_for(HOUR)

    prices = aws.compute.spot_prices(
        ["m5.xlarge"], ZONE, start=START + timedelta(minutes=30), end=START + 2 * HOUR
    )

    assert [(p.usd, p.effective_from) for p in prices] == [
        (Decimal("0.070"), START),
        (Decimal("0.080"), START + HOUR),
    ]
    key = PriceKey(component=Component.EC2_SPOT, region="us-east-1", item="m5.xlarge", availability_zone=ZONE)
    assert {(p.key, p.unit) for p in prices} == {(key, "Hours")}
    assert all("DescribeSpotPriceHistory" in p.source and ZONE in p.source for p in prices)


def test_spot_prices_are_sorted_by_type_and_time(aws):
    for _ in range(2):
        for name in ("r5.xlarge", "m5.xlarge"):
            aws.world.set_spot_price(name, ZONE, Decimal("0.05"))
        aws.world.run_for(HOUR)
        aws.world.set_spot_price("m5.xlarge", ZONE, Decimal("0.06"))
        aws.world.run_for(HOUR)
    prices = aws.compute.spot_prices(["r5.xlarge", "m5.xlarge"], ZONE, start=START, end=aws.world.now)
    order = [(p.key.item, p.effective_from) for p in prices]
    assert order == sorted(order)
    assert {item for item, _ in order} == {"m5.xlarge", "r5.xlarge"}


def test_no_types_have_no_spot_prices(aws):
    assert aws.compute.spot_prices([], ZONE, start=START, end=START + HOUR) == ()
    assert aws.world.calls["DescribeSpotPriceHistory"] == 0


def test_a_type_that_is_not_sold_has_no_spot_prices(aws):
    assert aws.compute.spot_prices(["t1.micro"], ZONE, start=START, end=START + HOUR) == ()


def test_the_free_addresses_of_a_subnet_are_those_that_no_instance_holds(aws):
    cluster_id = run_cluster(aws.world, cluster(core=3, availability_zone=ZONE))
    subnet = aws.reader.describe_cluster(cluster_id).subnet_id
    assert aws.compute.free_addresses(subnet) == aws.world.settings.subnet_addresses - 4


def test_a_subnet_nobody_knows_is_not_found(aws):
    with pytest.raises(NotFoundError):
        aws.compute.free_addresses("subnet-0aaaaaaaaaaaaaaaa")


def test_only_types_that_a_zone_offers_are_found_there(aws):
    asked = ["m5.xlarge", "m5a.xlarge", "m9.huge", "m5.xlarge"]
    assert aws.compute.offered_types(asked, ZONE) == {"m5.xlarge", "m5a.xlarge"}
    assert aws.compute.offered_types([], ZONE) == frozenset()


def test_an_instance_that_is_gone_is_no_longer_running(aws):
    cluster_id = run_cluster(aws.world, cluster(spot=1))
    (spot,) = (i for i in aws.compute.find_cluster_instances(cluster_id) if i.market is Market.SPOT)
    assert spot.is_running
    aws.actuator.terminate_cluster(cluster_id)
    aws.world.run_for(timedelta(minutes=10))
    assert not any(i.is_running for i in aws.compute.find_cluster_instances(cluster_id))
