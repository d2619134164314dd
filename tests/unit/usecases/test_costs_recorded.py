"""Cost hours: whole, once, restated when a late fact changes them, and nobody's trouble costs the others."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.stories import OPTED_IN, Story, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.costs import HourRecord
from emr_autoscaler.domain.errors import PriceMissingError, UnavailableError
from emr_autoscaler.domain.policy import IdlePolicy, TaskPolicy
from emr_autoscaler.domain.price_book import Component

HOUR = timedelta(hours=1)
QUIET = live(idle=IdlePolicy(enabled=False), task=TaskPolicy(min_nodes=1, max_nodes=5))


def story_with_cluster(**changes: Any) -> tuple[Story, str]:
    """An enrolled cluster at 12:20 with nothing recorded, and no schedule running from then on."""
    story = Story(calm_world(), QUIET)
    cluster_id = story.start(cluster(core=2, spot=1, tags={**OPTED_IN, "cost-centre": "research"}, **changes))
    return story, cluster_id


def hours(story: Story, cluster_id: str) -> dict[datetime, HourRecord]:
    found = story.ports.costs.hours_of_cluster(story.world.settings.account_id, "us-east-1", cluster_id)
    return {record.hour: record for record in found}


def spot_usd(record: HourRecord) -> Decimal:
    return sum((x.effective_cost_usd for x in record.lines if x.component is Component.EC2_SPOT), Decimal(0))


def test_only_whole_hours_are_recorded_while_the_cluster_runs() -> None:
    story, cluster_id = story_with_cluster()
    assert story.system.use_cases.record_costs() == ()
    story.world.run_until(story.world.now.replace(hour=14, minute=5))
    written = story.system.use_cases.record_costs()
    assert [record.hour.hour for record in written] == [12, 13]
    assert {record.cost_centre for record in written} == {"research"}
    assert list(hours(story, cluster_id).values()) == list(written)


def test_recording_twice_changes_nothing() -> None:
    story, cluster_id = story_with_cluster()
    story.world.run_until(story.world.now.replace(hour=14, minute=5))
    story.system.use_cases.record_costs()
    before = hours(story, cluster_id)
    assert story.system.use_cases.record_costs() == ()
    registry = story.ports.registry
    registry.put(replace(registry.get(cluster_id), costs_recorded_until=None))
    assert story.system.use_cases.record_costs() == ()
    assert hours(story, cluster_id) == before


def test_prices_nobody_has_yet_are_looked_up() -> None:
    story, _cluster_id = story_with_cluster()
    before = story.world.calls["GetProducts"]
    story.ports.costs._prices.clear()
    story.ports.costs._dates.clear()
    story.world.run_until(story.world.now.replace(hour=13, minute=5))
    assert len(story.system.use_cases.record_costs()) == 1
    assert story.world.calls["GetProducts"] > before


def test_an_interruption_proven_after_the_hour_was_recorded_restates_it() -> None:
    story, cluster_id = story_with_cluster()
    world, use_cases = story.world, story.system.use_cases
    world.run_until(world.now.replace(hour=12, minute=45))
    use_cases.scale_task_groups(cluster_id, trigger="t")
    group = story.groups(cluster_id)["spot"]
    late = next(iter(group.nodes))
    world.run_until(world.now.replace(hour=12, minute=58))
    world.warn_spot_interruption(late.ec2_id)
    # EC2 has not said why the instance went when the hour is recorded first.
    find = story.ports.compute.find_cluster_instances
    story.ports.compute.find_cluster_instances = lambda c: tuple(replace(i, interrupted=False) for i in find(c))
    world.run_until(world.now.replace(hour=13, minute=5))
    (first,) = use_cases.record_costs()
    assert spot_usd(first) > 0
    story.ports.compute.find_cluster_instances = find
    world.run_for(timedelta(minutes=10))
    (restated,) = use_cases.record_costs()
    assert (restated.hour, restated.revision) == (first.hour, 2)
    assert spot_usd(restated) < spot_usd(first)
    total = story.ports.costs.month_total("research", "2026-10")
    assert total.effective_cost_usd == restated.effective_cost_usd


def test_an_ended_cluster_is_recorded_to_its_end_and_closed_when_nothing_can_change() -> None:
    story, cluster_id = story_with_cluster()
    world, use_cases = story.world, story.system.use_cases
    world.emr.terminate_job_flows([cluster_id])
    world.run_for(timedelta(minutes=10))
    use_cases.enroll_cluster(cluster_id)
    (last,) = use_cases.record_costs([cluster_id])
    assert last.hour.hour == 12
    assert not story.ports.registry.get(cluster_id).cost_closed
    world.run_for(3 * HOUR)
    assert use_cases.record_costs() == ()
    assert story.ports.registry.get(cluster_id).cost_closed
    assert story.ports.registry.all() == ()


def test_a_cluster_that_opts_out_is_recorded_until_it_ends() -> None:
    story, cluster_id = story_with_cluster()
    story.world.emr.remove_tags(cluster_id, list(OPTED_IN))
    story.system.use_cases.enroll_cluster(cluster_id)
    story.world.run_until(story.world.now.replace(hour=14, minute=5))
    assert len(story.system.use_cases.record_costs()) == 2
    assert len(hours(story, cluster_id)) == 2


def test_a_cluster_that_opts_in_late_is_recorded_from_about_then() -> None:
    story = Story(calm_world(), QUIET)
    cluster_id = story.world.emr.run_job_flow(cluster(core=2))
    story.world.run_for(timedelta(days=5))
    story.world.emr.add_tags(cluster_id, OPTED_IN)
    story.system.use_cases.enroll_cluster(cluster_id)
    story.world.run_for(HOUR)
    recorded = hours(story, cluster_id) or {r.hour: r for r in story.system.use_cases.record_costs()}
    oldest = min(recorded)
    assert story.world.now - timedelta(hours=27) < oldest <= story.world.now - 2 * HOUR


def test_a_price_that_cannot_be_traced_stops_its_own_cluster_only() -> None:
    story, cluster_id = story_with_cluster()
    other = story.start(cluster(core=1, tags=OPTED_IN))
    story.world.run_until(story.world.now.replace(hour=14, minute=5))
    read = story.ports.reader.list_instances

    def odd_types(wanted: str) -> Any:
        listed = read(wanted)
        return tuple(replace(i, instance_type="x9.odd") for i in listed) if wanted == cluster_id else listed

    story.ports.reader.list_instances = odd_types
    with pytest.raises(PriceMissingError):
        UseCases(story.ports).record_costs()
    assert hours(story, cluster_id) == {}
    assert len(hours(story, other)) == 2


def test_one_cluster_that_cannot_be_read_does_not_cost_the_others_their_hour() -> None:
    story, cluster_id = story_with_cluster()
    other = story.start(cluster(core=1, tags=OPTED_IN))
    story.world.run_until(story.world.now.replace(hour=14, minute=5))
    read = story.ports.reader.list_instances

    def failing(wanted: str) -> Any:
        if wanted == cluster_id:
            raise UnavailableError("throttled")
        return read(wanted)

    story.ports.reader.list_instances = failing
    with pytest.raises(UnavailableError):
        story.system.use_cases.record_costs()
    assert len(hours(story, other)) == 2
    story.ports.reader.list_instances = read
    story.system.use_cases.record_costs()
    assert len(hours(story, cluster_id)) == 2


def test_prices_that_did_not_change_are_not_stored_again() -> None:
    story, _cluster_id = story_with_cluster()
    assert story.system.use_cases.refresh_prices() == ()
