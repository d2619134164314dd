"""Stories of spot pools: where nodes are bought, what happens when they cannot be had, what they may cost."""

from decimal import Decimal

from tests.support.spot_scenes import MINUTE, POOLS, busy, dry, on_demand, reasons, spot, spot_story, zone
from tests.support.stories import Story

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.memory import PoolKey
from emr_autoscaler.domain.policy import CapacityUnit, WorkloadProfile


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


def paid(story: Story, cluster_id: str) -> Decimal:
    """What the task nodes that are ordered cost an hour."""
    entry = story.ports.registry.get(cluster_id)
    groups = (g for g in entry.groups if g.role is Role.TASK)
    return sum((entry.prices.by_group[g.group_id].usd_per_hour * g.requested_count for g in groups), Decimal(0))


def test_the_cap_in_money_ends_a_scale_out() -> None:
    story, cluster_id = spot_story(max_usd_per_hour=Decimal("0.60"))
    busy(story, cluster_id)
    assert Decimal("0.45") < paid(story, cluster_id) <= Decimal("0.60")
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
    assert paid(story, cluster_id) <= Decimal("1.20")
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
