"""Stories of what fleets cost: the cap of the policy, and the record beside the bill."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.fleet_scenes import SETTLE, busy, cluster, in_units, inside, targets, task_fleet
from tests.support.stories import Story, live, lossy
from tests.support.stormy_days import assert_bill, stormy
from tests.support.worlds import calm_world

from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy
from emr_simulator.words import Market
from emr_simulator.workloads.synthetic import synthetic_day


@pytest.mark.parametrize(("seed", "doubled"), [(1, 0.0), (2, 0.3)])
def test_a_stormy_day_of_a_fleet_keeps_its_units_and_its_record_equals_the_bill(
    seed: int, *, doubled: float
) -> None:
    policy = live(
        task=in_units(max_nodes=16, expected_task_seconds=60),
        core=CorePolicy(min_nodes=3, max_nodes=3),
        idle=IdlePolicy(idle_for=timedelta(hours=2)),
    )
    story = Story(stormy(seed), policy, mangle=lossy(seed, doubled=doubled))
    cluster_id = story.start(cluster(task_fleet(spot=2)))
    for work in synthetic_day(seed=seed, start_hour=9, hours=8, scale=2.0).jobs:
        at = story.world.now + timedelta(seconds=work.submit_after_seconds)
        story.world.submit_job(cluster_id, work, at=at)

    def stays_in_bounds() -> None:
        if story.world.inside(cluster_id).is_up:
            assert sum(targets(story, cluster_id)) <= 16

    story.watch = stays_in_bounds
    story.run(timedelta(hours=12))
    reasons = {r.decision.reason for r in story.decisions(cluster_id)}
    assert Reason.DEMAND_ABOVE_CAPACITY in reasons
    assert story.system.given_up == []
    assert_bill(story, cluster_id)


def test_a_fleet_keeps_to_its_cap_in_money_whatever_emr_buys() -> None:
    story = Story(calm_world(), live(task=in_units(max_usd_per_hour=Decimal("1.00"))))
    cluster_id = story.start(cluster(task_fleet()))
    story.run(timedelta(minutes=10))
    story.world.submit_job(cluster_id, busy())
    story.run(SETTLE)
    known = story.ports.registry.get(cluster_id).prices.by_group
    spot = next(price.usd_per_hour for side, price in known.items() if side.endswith("SPOT"))
    # EMR may buy two units where one is missing: that one more is affordable as well.
    assert targets(story, cluster_id) == (0, min(12, int(Decimal("1.00") / spot) - 1))


def test_the_recorded_cost_of_a_fleet_cluster_is_the_worlds_bill_to_the_cent() -> None:
    world = calm_world(spot_prices_move=True)
    story = Story(world, live(task=in_units(on_demand_min_nodes=2)))
    cluster_id = story.start(cluster(task_fleet()))
    world.submit_job(cluster_id, busy(seconds=1200))
    story.run(timedelta(minutes=25))
    on_spot = [node for node in inside(story, cluster_id).nodes if node.market is Market.SPOT]
    world.warn_spot_interruption(on_spot[0].ec2_id)
    story.run(timedelta(hours=4))
    world.emr.terminate_job_flows([cluster_id])
    story.run(timedelta(hours=5))
    settings = world.settings
    hours = story.ports.costs.hours_of_cluster(settings.account_id, settings.region, cluster_id)
    recorded: dict[tuple[str, str], Decimal] = {}
    for line in (line for hour in hours for line in hour.lines):
        key = (line.group_id, line.component.value)
        recorded[key] = recorded.get(key, Decimal(0)) + line.effective_cost_usd
    billed: dict[tuple[str, str], Decimal] = {}
    for item in world.ledger.bill().lines:
        key = (item.group_id, item.component.value)
        billed[key] = billed.get(key, Decimal(0)) + item.usd
    assert {k: round(v, 6) for k, v in recorded.items()} == {k: round(v, 6) for k, v in billed.items() if v}
    fleet_id = inside(story, cluster_id).group_id
    assert {"EC2_SPOT", "EC2_ON_DEMAND", "EMR_FEE", "EBS"} == {c for g, c in recorded if g == fleet_id}
