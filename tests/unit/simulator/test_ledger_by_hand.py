from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from tests.support.simulated import START, a_cluster, a_world, group_of, resize, seconds

from emr_simulator.descriptions import ClusterSpec, GroupSpec, VolumeSpec
from emr_simulator.words import BillComponent, Market, Role
from emr_simulator.world import World


def exact(world, cluster_id, component, role=Role.TASK, until=None):
    group_id = group_of(world, cluster_id, role).group_id
    return sum(
        (
            line.usd_exact
            for line in world.ledger.bill(until=until).lines
            if line.group_id == group_id and line.component is component
        ),
        Fraction(0),
    )


def task_world(lasting, market=Market.SPOT, **settings):
    """One task node that EC2 launches a minute after START and that is gone ``lasting`` seconds later."""
    world = a_world(**settings)
    cluster_id = a_cluster(world, task=1, market=market, up=False)
    world.run_until(START + seconds(max(300, 60 + lasting)))
    resize(world, cluster_id, 0)
    world.run_for(seconds(1))
    return world, cluster_id


def test_an_on_demand_node_costs_its_seconds_at_both_rates():
    world, cluster_id = task_world(1000, Market.ON_DEMAND)
    assert exact(world, cluster_id, BillComponent.EMR_FEE) == Fraction(48, 1000) * 1000 / 3600
    assert exact(world, cluster_id, BillComponent.EC2_ON_DEMAND) == Fraction(192, 1000) * 1000 / 3600
    assert exact(world, cluster_id, BillComponent.EC2_SPOT) == 0


def test_a_node_that_lived_ten_seconds_is_billed_sixty():
    world = a_world()
    cluster_id = a_cluster(world, market=Market.ON_DEMAND)
    resize(world, cluster_id, 1)
    world.run_for(seconds(70))
    resize(world, cluster_id, 0)
    world.run_for(seconds(1))
    assert exact(world, cluster_id, BillComponent.EMR_FEE) == Fraction(48, 1000) * 60 / 3600
    group_id = group_of(world, cluster_id).group_id
    ebs = [line for line in world.ledger.bill().lines if line.group_id == group_id and line.component == "EBS"]
    assert [line.seconds for line in ebs] == [3 * 10]


def test_the_minimum_may_spill_into_the_next_hour():
    world = a_world()
    cluster_id = a_cluster(world, market=Market.ON_DEMAND)
    world.run_until(START + seconds(3600 - 60 - 20))
    resize(world, cluster_id, 1)
    world.run_for(seconds(65))
    resize(world, cluster_id, 0)
    world.run_for(seconds(1))
    group_id = group_of(world, cluster_id).group_id
    fee = [
        (line.hour, line.seconds)
        for line in world.ledger.bill().lines
        if line.group_id == group_id and line.component is BillComponent.EMR_FEE
    ]
    assert fee == [(START, 20), (START + seconds(3600), 40)]


def test_a_request_cancelled_before_its_launch_costs_nothing():
    world = a_world()
    cluster_id = a_cluster(world)
    resize(world, cluster_id, 1)
    world.run_for(seconds(59))
    resize(world, cluster_id, 0)
    world.run_for(seconds(600))
    assert exact(world, cluster_id, BillComponent.EMR_FEE) == 0


def test_spot_is_billed_at_each_price_step():
    world = a_world()
    world.set_spot_price("m5.xlarge", "us-east-1a", Decimal("0.05"))
    cluster_id = a_cluster(world, task=1)
    world.run_until(START + seconds(1060))
    world.set_spot_price("m5.xlarge", "us-east-1a", Decimal("0.08"))
    world.run_until(START + seconds(1560))
    usd = (Fraction(5, 100) * 1000 + Fraction(8, 100) * 500) / 3600
    assert exact(world, cluster_id, BillComponent.EC2_SPOT) == usd


def test_an_interruption_within_the_first_hour_is_free_of_ec2_and_keeps_its_fee():
    world = a_world()
    cluster_id = a_cluster(world, task=1)
    world.warn_spot_interruption(group_of(world, cluster_id).nodes[0].ec2_id)
    before = exact(world, cluster_id, BillComponent.EC2_SPOT)
    world.run_for(seconds(120))
    assert before > 0
    assert exact(world, cluster_id, BillComponent.EC2_SPOT) == 0
    assert exact(world, cluster_id, BillComponent.EMR_FEE) == Fraction(48, 1000) * (300 - 60 + 120) / 3600


def test_an_interruption_after_the_first_hour_is_billed():
    world = a_world()
    cluster_id = a_cluster(world, task=1)
    world.run_until(START + seconds(60 + 3600 - 120))
    world.warn_spot_interruption(group_of(world, cluster_id).nodes[0].ec2_id)
    world.run_for(seconds(120))
    assert exact(world, cluster_id, BillComponent.EC2_SPOT) == Fraction(672, 10000)


def test_a_node_that_leaves_by_itself_in_its_first_hour_is_billed():
    world, cluster_id = task_world(1000)
    assert exact(world, cluster_id, BillComponent.EC2_SPOT) == Fraction(672, 10000) * 1000 / 3600


def test_root_and_default_data_volumes_are_billed_by_the_share_of_the_month():
    world, cluster_id = task_world(3600, Market.ON_DEMAND)
    october = 31 * 86400
    gib = 15 + 2 * 32
    assert exact(world, cluster_id, BillComponent.EBS) == gib * Fraction(8, 100) * 3600 / october


def test_gp3_pays_for_what_is_above_the_free_iops_and_throughput():
    volume = VolumeSpec(volume_type="gp3", size_gib=100, iops=4000, throughput_mibps=225)
    root = VolumeSpec(volume_type="gp2", size_gib=10)
    groups = (
        GroupSpec(
            role=Role.MASTER, market=Market.ON_DEMAND, instance_type="m5.xlarge", count=1, volumes=(volume,)
        ),
    )
    world = a_world()
    cluster_id = world.emr.run_job_flow(ClusterSpec(name="one", groups=groups, root_volume=root))
    world.run_for(seconds(60 + 3600))
    month_usd = 10 * Fraction(1, 10) + 100 * Fraction(8, 100) + 1000 * Fraction(5, 1000) + 100 * Fraction(4, 100)
    expected = month_usd * 3600 / (31 * 86400)
    assert exact(world, cluster_id, BillComponent.EBS, Role.MASTER) == expected


def test_the_last_hour_of_february_is_prorated_by_february():
    start = datetime(2027, 2, 28, 22, 59, tzinfo=UTC)
    world = World(seed=1, start=start)
    group = GroupSpec(role=Role.MASTER, market=Market.ON_DEMAND, instance_type="m5.xlarge", count=1, volumes=())
    cluster_id = world.emr.run_job_flow(ClusterSpec(name="one", groups=(group,)))
    world.run_for(seconds(60 + 7200))
    lines = [line for line in world.ledger.bill().lines if line.component is BillComponent.EBS]
    price = 15 * Fraction(8, 100)
    assert [line.usd_exact for line in lines] == [price * 3600 / (28 * 86400), price * 3600 / (31 * 86400)]
    assert lines[0].cluster_id == cluster_id


def test_a_bill_up_to_an_earlier_time_counts_the_living_as_they_were():
    world, cluster_id = task_world(1000, Market.ON_DEMAND)
    until = START + seconds(60 + 400)
    assert exact(world, cluster_id, BillComponent.EMR_FEE, until=until) == Fraction(48, 1000) * 400 / 3600


def test_totals_are_the_sum_of_their_parts():
    world, cluster_id = task_world(1000)
    bill = world.ledger.bill()
    parts = sum(bill.total_usd(component=component) for component in BillComponent)
    assert abs(bill.total_usd() - parts) < Decimal("1e-25")
    assert bill.total_usd(cluster_id=cluster_id) == bill.total_usd()
    assert bill.total_usd(cluster_id="j-OTHER") == 0
