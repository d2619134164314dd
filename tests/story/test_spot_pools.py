"""Stories of spot pools: where nodes are bought, what happens when they cannot be had, what they may cost."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.memory import PoolKey
from emr_autoscaler.domain.policy import CapacityUnit, IdlePolicy, TaskPolicy, WorkloadProfile

POOLS = ("m5.xlarge", "m5a.xlarge", "m6i.xlarge", "m6a.xlarge")
ENDLESS = 60_000
MINUTE = timedelta(minutes=1)


def spot_story(world: dict[str, Any] | None = None, **policy: Any) -> tuple[Story, str]:
    """A cluster with four spot pools and an on-demand group, enrolled and settled."""
    task = TaskPolicy(**{"max_nodes": 10, "instance_types": POOLS, **policy})
    story = Story(calm_world(**(world or {})), live(task=task, idle=IdlePolicy(enabled=False)))
    return story, story.start(cluster(core=2, tags=OPTED_IN))


def spot(story: Story, cluster_id: str) -> dict[str, int]:
    return {
        g.spec.instance_type: g.requested
        for g in story.world.inside(cluster_id).groups.values()
        if g.spec.role == Role.TASK and g.spec.market == Market.SPOT
    }


def on_demand(story: Story, cluster_id: str) -> int:
    return sum(
        g.requested
        for g in story.world.inside(cluster_id).groups.values()
        if g.spec.role == Role.TASK and g.spec.market == Market.ON_DEMAND
    )


def busy(story: Story, cluster_id: str, minutes: int = 30) -> None:
    story.world.submit_job(cluster_id, job(tasks=ENDLESS, seconds=60))
    story.run(minutes * MINUTE)


def zone(story: Story, cluster_id: str) -> str:
    return story.world.inside(cluster_id).zone


def dry(story: Story, cluster_id: str, *types: str, hours: float = 6) -> None:
    for name in types:
        story.world.dry_pool(name, zone(story, cluster_id), story.world.now + timedelta(hours=hours))


def reasons(story: Story, cluster_id: str) -> set[Reason]:
    return {record.decision.reason for record in story.decisions(cluster_id, DecisionKind.TASK)}


def test_the_cheapest_pools_hold_two_fifths_each_and_the_next_the_rest() -> None:
    story, cluster_id = spot_story()
    busy(story, cluster_id)
    assert spot(story, cluster_id) == {"m5a.xlarge": 4, "m6a.xlarge": 4, "m6i.xlarge": 2, "m5.xlarge": 0}


def test_half_on_spot_above_the_floor_is_half_on_spot() -> None:
    story, cluster_id = spot_story(spot_share=0.5, on_demand_min_nodes=2)
    busy(story, cluster_id)
    assert on_demand(story, cluster_id) == 6
    assert sum(spot(story, cluster_id).values()) == 4


def test_a_dry_request_is_lowered_after_three_minutes_and_ordered_in_the_next_pool() -> None:
    story, cluster_id = spot_story(max_nodes=4)
    dry(story, cluster_id, "m5a.xlarge")
    busy(story, cluster_id)
    counts = spot(story, cluster_id)
    assert counts["m5a.xlarge"] == 0
    assert sum(counts.values()) + on_demand(story, cluster_id) == 4
    key = PoolKey(instance_type="m5a.xlarge", availability_zone=zone(story, cluster_id))
    (health,) = story.ports.pools.get([key])
    assert health.last_trouble_at is not None
    assert story.system.given_up == []


def test_when_every_pool_is_dry_the_work_goes_to_on_demand() -> None:
    story, cluster_id = spot_story(max_nodes=4)
    dry(story, cluster_id, *POOLS)
    busy(story, cluster_id)
    assert on_demand(story, cluster_id) == 4
    assert sum(spot(story, cluster_id).values()) == 0


def test_a_used_up_spot_quota_sends_the_work_to_on_demand() -> None:
    story, cluster_id = spot_story({"spot_quota": 2}, max_nodes=6)
    busy(story, cluster_id, 40)
    assert (sum(spot(story, cluster_id).values()), on_demand(story, cluster_id)) == (2, 4)
    assert story.system.given_up == []


def test_after_half_an_hour_the_work_goes_back_to_spot_new_nodes_first() -> None:
    task = TaskPolicy(max_nodes=8, min_nodes=3, instance_types=POOLS)
    story = Story(calm_world(), live(task=task, idle=IdlePolicy(enabled=False)))
    for name in POOLS:
        story.world.dry_pool(name, "us-east-1a", story.world.now + timedelta(hours=0.75))
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN, availability_zone="us-east-1a"))
    story.run(15 * MINUTE)
    assert on_demand(story, cluster_id) == 3
    least: list[int] = []

    def watch() -> None:
        groups = story.world.inside(cluster_id).groups.values()
        least.append(sum(g.running for g in groups if g.spec.role == Role.TASK))

    story.run(10 * MINUTE)
    story.watch = watch
    story.run(timedelta(hours=2))
    assert (on_demand(story, cluster_id), sum(spot(story, cluster_id).values())) == (0, 3)
    assert min(least) >= 3
    made = [r.decision for r in story.decisions(cluster_id, DecisionKind.TASK)]
    back = [d for d in made if d.reason is Reason.BACK_TO_SPOT and d.action is Action.REBALANCE]
    assert all(t.count > t.previous_count for t in back[0].targets)
    given_back = [d for d in made if any(t.count < t.previous_count for t in d.targets)]
    assert given_back[-1].decided_at > back[0].decided_at
    assert all(t.decommission_timeout for t in given_back[-1].targets)


def warn(story: Story, cluster_id: str, **counts: int) -> None:
    """Warn so many nodes of each pool at once; pools by the first part of their types."""
    for group in story.world.inside(cluster_id).groups.values():
        if group.spec.market == Market.SPOT:
            for node in list(group.nodes)[: counts.get(group.spec.instance_type.partition(".")[0], 0)]:
                story.world.warn_spot_interruption(node.ec2_id)
    story.run(MINUTE)


def test_a_storm_of_warnings_sends_replacements_straight_to_on_demand() -> None:
    story, cluster_id = spot_story(max_nodes=20, min_nodes=10)
    story.run(20 * MINUTE)
    warn(story, cluster_id, m5a=2, m6a=2)
    assert on_demand(story, cluster_id) == 2
    assert story.system.given_up == []


def test_the_outage_of_one_pool_is_no_storm_while_two_others_are_open() -> None:
    story, cluster_id = spot_story(max_nodes=20, min_nodes=10)
    story.run(20 * MINUTE)
    before = spot(story, cluster_id)
    warn(story, cluster_id, m5a=4)
    after = spot(story, cluster_id)
    assert on_demand(story, cluster_id) == 0
    assert sum(after.values()) == sum(before.values()) + 4
    assert after["m5a.xlarge"] == before["m5a.xlarge"]
    story.run(10 * MINUTE)
    assert sum(spot(story, cluster_id).values()) == 10


def test_the_outage_of_one_of_two_pools_is_a_storm() -> None:
    story, cluster_id = spot_story(max_nodes=20, min_nodes=10, instance_types=("m5a.xlarge", "m6a.xlarge"))
    story.run(20 * MINUTE)
    warn(story, cluster_id, m5a=4)
    assert on_demand(story, cluster_id) == 2


def test_the_cap_in_money_ends_a_scale_out() -> None:
    story, cluster_id = spot_story(max_usd_per_hour=Decimal("0.60"))
    busy(story, cluster_id)
    entry = story.ports.registry.get(cluster_id)
    paid = sum(
        entry.prices.by_group[g.group_id].usd_per_hour * g.requested_count
        for g in entry.groups
        if g.role is Role.TASK
    )
    assert Decimal("0.45") < paid <= Decimal("0.60")
    assert Reason.AT_MONEY_CAP in reasons(story, cluster_id)


def test_prices_that_rise_above_the_cap_give_nodes_back() -> None:
    story, cluster_id = spot_story(max_usd_per_hour=Decimal("1.20"))
    busy(story, cluster_id)
    before = sum(spot(story, cluster_id).values())
    for name in POOLS:
        story.world.set_spot_price(name, zone(story, cluster_id), Decimal("0.16"))
    story.run(30 * MINUTE)
    after = sum(spot(story, cluster_id).values())
    assert after < before
    entry = story.ports.registry.get(cluster_id)
    paid = sum(
        entry.prices.by_group[g.group_id].usd_per_hour * g.requested_count
        for g in entry.groups
        if g.role is Role.TASK
    )
    assert paid <= Decimal("1.20")
    assert Reason.ABOVE_MONEY_CAP in reasons(story, cluster_id)


def test_the_subnet_is_never_asked_for_more_addresses_than_it_has() -> None:
    story, cluster_id = spot_story({"subnet_addresses": 3 + 5})
    busy(story, cluster_id, 40)
    assert story.ordered(cluster_id) == 5
    assert Reason.NO_FREE_ADDRESSES in reasons(story, cluster_id)


def test_bounds_in_units_hold_over_pools_of_different_sizes() -> None:
    types = ("m5.xlarge", "m5.2xlarge", "m5a.2xlarge")
    units = {"m5.xlarge": 1, "m5.2xlarge": 2, "m5a.2xlarge": 2}
    story, cluster_id = spot_story(
        instance_types=types, unit=CapacityUnit.UNITS, weights=units, max_units=9, max_nodes=2000
    )
    busy(story, cluster_id)
    held = sum(units[name] * count for name, count in spot(story, cluster_id).items())
    assert 8 <= held <= 9


def test_a_profile_makes_pools_of_types_that_can_be_had() -> None:
    world = {"types_not_offered": ("m5.xlarge",)}
    story, cluster_id = spot_story(world, instance_types=(), profile=WorkloadProfile.GENERAL)
    assert set(spot(story, cluster_id)) == {"m6i.xlarge", "m5a.xlarge", "m6a.xlarge"}
    assert story.system.given_up == []


def test_too_few_pools_are_told_of_by_name() -> None:
    world = {"types_not_offered": ("m5a.xlarge",), "unsupported_types": ("m6i.xlarge",)}
    story, cluster_id = spot_story(world)
    assert set(spot(story, cluster_id)) == {"m5.xlarge", "m6a.xlarge"}
    (told,) = [n for n in story.ports.notifier.sent if n.attributes["reason"] == "POOLS_CHECKED"]
    assert f"m5a.xlarge has no pool: not offered in {zone(story, cluster_id)}" in told.body
    assert "m6i.xlarge has no pool: not supported by emr-" in told.body
    assert "2 spot pools are left" in told.body


def test_pools_that_are_interrupted_lose_their_place() -> None:
    story, cluster_id = spot_story(max_nodes=10, min_nodes=5)
    story.run(30 * MINUTE)
    key = PoolKey(instance_type="m5a.xlarge", availability_zone=zone(story, cluster_id))
    (health,) = story.ports.pools.get([key])
    assert health.node_hours > 0
    node = next(
        n
        for g in story.world.inside(cluster_id).groups.values()
        if g.spec.instance_type == "m5a.xlarge" and g.spec.market == Market.SPOT
        for n in g.nodes
    )
    story.world.warn_spot_interruption(node.ec2_id)
    story.run(10 * MINUTE)
    (health,) = story.ports.pools.get([key])
    assert health.interruptions > 0.9


def stood_in(hours: float = 1.0, **policy: Any) -> tuple[Story, str]:
    """A busy cluster that was filled up on demand while spot could not be had."""
    task = TaskPolicy(**{"max_nodes": 8, "instance_types": POOLS, **policy})
    story = Story(calm_world(), live(task=task, idle=IdlePolicy(enabled=False)))
    for name in POOLS:
        story.world.dry_pool(name, "us-east-1a", story.world.now + timedelta(hours=hours))
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN, availability_zone="us-east-1a"))
    busy(story, cluster_id, 40)
    return story, cluster_id


def exchanges(story: Story, cluster_id: str) -> list[Decision]:
    made = (record.decision for record in story.decisions(cluster_id, DecisionKind.TASK))
    return [decision for decision in made if decision.reason is Reason.BACK_TO_SPOT and decision.targets]


def test_on_demand_leaves_once_spot_has_booted_though_work_waits() -> None:
    story, cluster_id = spot_story(max_nodes=40, min_nodes=6, instance_types=("m5a.xlarge", "m6a.xlarge"))
    story.run(20 * MINUTE)
    story.world.submit_job(cluster_id, job(tasks=240))
    warn(story, cluster_id, m5a=3, m6a=3)
    assert on_demand(story, cluster_id) == 5
    running: list[int] = []

    def watch() -> None:
        groups = story.world.inside(cluster_id).groups.values()
        running.append(sum(g.running for g in groups if g.spec.role == Role.TASK))

    def feed_until(steps_back: int) -> Decision:
        for _ in range(60):
            if len(exchanges(story, cluster_id)) >= steps_back:
                break
            story.world.submit_job(cluster_id, job(tasks=70))
            story.run(MINUTE)
        return exchanges(story, cluster_id)[steps_back - 1]

    ordered = feed_until(1)
    story.watch = watch
    assert sum(t.count - t.previous_count for t in ordered.targets) == 5
    given_back = feed_until(2)
    assert [t.count - t.previous_count for t in given_back.targets] == [-5]
    assert story.world.yarn(cluster_id).pending > 6 * 17  # more than all nodes hold
    story.run(10 * MINUTE)
    assert on_demand(story, cluster_id) == 0
    assert min(running) == running[0] == sum(spot(story, cluster_id).values())
    assert story.system.given_up == []


def test_a_cluster_that_stays_busy_at_its_maximum_goes_back_to_spot_node_by_node() -> None:
    story, cluster_id = stood_in()
    assert on_demand(story, cluster_id) == 8
    running: list[int] = []

    def watch() -> None:
        groups = story.world.inside(cluster_id).groups.values()
        running.append(sum(g.running for g in groups if g.spec.role == Role.TASK))

    story.watch = watch
    story.run(timedelta(hours=5))
    assert (on_demand(story, cluster_id), sum(spot(story, cluster_id).values())) == (0, 8)
    assert min(running) >= 7
    made = exchanges(story, cluster_id)
    assert {sum(t.count - t.previous_count for t in d.targets) for d in made} == {0}
    assert len(made) == 8
    assert all(t.decommission_timeout for d in made for t in d.targets if t.count < t.previous_count)
    assert story.system.given_up == []


def test_a_cluster_that_stays_busy_at_its_cap_gets_more_nodes_for_it_on_spot() -> None:
    story, cluster_id = stood_in(max_usd_per_hour=Decimal("0.74"))
    assert on_demand(story, cluster_id) == 2
    story.run(timedelta(hours=4))
    assert on_demand(story, cluster_id) == 0
    assert sum(spot(story, cluster_id).values()) >= 6
    assert story.system.given_up == []


def test_spot_that_fails_again_ends_the_exchange_for_half_an_hour() -> None:
    story, cluster_id = stood_in()
    story.run(timedelta(minutes=60))
    begun = exchanges(story, cluster_id)
    assert begun
    for name in POOLS:
        story.world.dry_pool(name, "us-east-1a", story.world.now + timedelta(hours=4))
    story.run(timedelta(hours=3))
    again = exchanges(story, cluster_id)[len(begun) :]
    assert on_demand(story, cluster_id) + sum(spot(story, cluster_id).values()) == 8
    assert len(again) <= 6
    assert all(later.decided_at - one.decided_at >= timedelta(minutes=10) for one, later in pairwise(again))
