"""What scaling, replacement and reaping saved, as it stands in the hours of clusters that lived through it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.stories import OPTED_IN, Story, job, live, lossy
from tests.support.worlds import CALM, START, calm_world, cluster

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.costs import HourRecord, exact_sum
from emr_autoscaler.domain.decision import Action, DecisionKind
from emr_autoscaler.domain.policy import IdlePolicy, Mode, TaskPolicy
from emr_simulator.descriptions import GroupResize
from emr_simulator.settings import SpotOutages
from emr_simulator.world import World

HOUR = timedelta(hours=1)
AWAKE = IdlePolicy(enabled=False)
TAGS = {**OPTED_IN, "cost-centre": "research"}


def hours(story: Story) -> tuple[HourRecord, ...]:
    return story.ports.costs.hours_of_account(story.ports.account_id, "2026-10")


def savings(story: Story, kind: str) -> list[tuple[int, object]]:
    found = [(r.hour.hour, getattr(r.savings, kind)) for r in hours(story) if r.savings is not None]
    return [(hour, saved) for hour, saved in found if saved is not None]


def busy_then_quiet(**policy: object) -> tuple[Story, str]:
    story = Story(calm_world(), live(idle=AWAKE, **policy))
    cluster_id = story.start(cluster(core=1, task=1, tags=TAGS))
    story.world.submit_job(cluster_id, job(tasks=300, seconds=600))
    story.run(START + timedelta(hours=5, minutes=10) - story.world.now)
    return story, cluster_id


def test_a_quiet_hour_after_a_busy_one_saved_what_did_not_run() -> None:
    story, cluster_id = busy_then_quiet()
    scale_ins = [
        r.decision.decided_at
        for r in story.decisions(cluster_id, DecisionKind.TASK)
        if r.decision.action is Action.SCALE_IN
    ]
    assert scale_ins
    saved = savings(story, "scaling")
    assert saved
    by_hour = {record.hour: record for record in hours(story)}
    for hour, scaling in saved:
        record = by_hour[START.replace(hour=hour)]
        reference = by_hour[scaling.reference_hour]
        assert scaling.baseline_list_usd == task_list(reference)
        assert scaling.baseline_list_usd == max(task_list(r) for r in by_hour.values() if r.hour <= record.hour)
        assert scaling.scaled_in_at in scale_ins
        assert record.scaling_saving_usd == scaling.saved_usd > 0


def test_the_months_rollup_has_what_its_hours_saved() -> None:
    story, _ = busy_then_quiet()
    total = story.ports.costs.month_total("research", "2026-10")
    assert total.scaling_saving_usd == exact_sum(r.scaling_saving_usd for r in hours(story)) > 0


def test_a_rehearsal_saves_nothing() -> None:
    story, _ = busy_then_quiet(mode=Mode.DRY_RUN)
    assert savings(story, "scaling") == []


def test_a_cluster_that_people_made_smaller_saved_nothing_of_ours() -> None:
    story = Story(calm_world(), live(idle=AWAKE, task=TaskPolicy(enabled=False)))
    cluster_id = story.start(cluster(core=1, task=6, tags=TAGS))
    story.run(HOUR)
    group = story.groups(cluster_id)["task"]
    story.world.emr.modify_instance_groups(cluster_id, [GroupResize(group_id=group.group_id, count=1)])
    story.run(2 * HOUR)
    assert savings(story, "scaling") == []


def test_a_reaped_cluster_saved_its_last_full_hour_for_as_long_again_as_it_was_idle() -> None:
    story = Story(calm_world(), live(idle=IdlePolicy(idle_for=timedelta(minutes=90))))
    cluster_id = story.start(cluster(core=2, tags=TAGS))
    story.run(6 * HOUR)
    (ended,) = [r for r in story.decisions(cluster_id, DecisionKind.IDLE) if r.decision.action is Action.TERMINATE]
    ((hour, reaping),) = savings(story, "reaping")
    end = story.world.inside(cluster_id).ended_at
    assert hour == START.fromtimestamp(end, START.tzinfo).hour
    assert (reaping.decision_id, reaping.decided_at) == (ended.record_id, ended.decision.decided_at)
    assert timedelta(minutes=90) <= timedelta(seconds=reaping.seconds) <= timedelta(hours=3)
    full = next(r for r in hours(story) if r.hour == reaping.reference_hour)
    assert reaping.usd_per_hour == full.effective_cost_usd
    assert story.ports.costs.month_total("research", "2026-10").reaping_saving_usd == reaping.saved_usd > 0


def test_a_cluster_that_people_ended_saved_nothing_of_ours() -> None:
    story = Story(calm_world(), live(idle=AWAKE))
    cluster_id = story.start(cluster(core=2, tags=TAGS))
    story.run(2 * HOUR)
    story.world.emr.terminate_job_flows([cluster_id])
    story.run(3 * HOUR)
    assert savings(story, "reaping") == []


def test_replaced_instances_are_told_with_the_decision_that_ordered_them() -> None:
    story = Story(calm_world(), live(idle=AWAKE, task=TaskPolicy(min_nodes=4, max_nodes=12)))
    cluster_id = story.start(cluster(core=1, task=1, spot=3, tags=TAGS))
    story.run(timedelta(minutes=40))
    lost = next(iter(story.groups(cluster_id)["spot"].nodes))
    story.world.warn_spot_interruption(lost.ec2_id)
    story.run(3 * HOUR)
    replaced = [
        r.record_id
        for r in story.decisions(cluster_id, DecisionKind.INTERRUPTION)
        if r.decision.action is Action.REPLACE
    ]
    assert replaced
    ((_, told),) = savings(story, "replacements")
    assert (told.lost, told.replaced, told.decision_ids) == (1, 1, tuple(replaced))
    assert 0 < told.replaced_seconds == told.lost_seconds < 3600
    assert story.ports.costs.month_total("research", "2026-10").instances_replaced == 1


def task_list(record: HourRecord) -> Decimal:
    return exact_sum(line.list_cost_usd for line in record.lines if line.role is Role.TASK)


@pytest.mark.parametrize("seed", range(3))
def test_on_random_days_no_dollar_is_saved_twice(seed: int) -> None:
    world = World(
        seed=seed,
        start=START,
        settings=replace(CALM, spot_prices_move=True, spot_outages=SpotOutages()),
    )
    story = Story(
        world, live(idle=IdlePolicy(idle_for=timedelta(hours=1))), mangle=lossy(seed, lost=0.1, doubled=0.2)
    )
    first = story.start(cluster(core=1, task=1, spot=2, tags=TAGS))
    second = story.start(cluster(core=1, spot=1, tags=TAGS))
    for number in range(3):
        story.world.submit_job(first, job(tasks=150 + 100 * number, seconds=300 + 200 * number))
        story.world.submit_job(second, job(tasks=80, seconds=240))
        story.run(timedelta(minutes=110))
    story.run(4 * HOUR)

    claimed = 0
    by_cluster: dict[str, dict[object, HourRecord]] = {}
    for record in hours(story):
        of_cluster = by_cluster.setdefault(record.cluster_id, {})
        of_cluster[record.hour] = record
        highest = max(task_list(r) for h, r in of_cluster.items() if h > record.hour - 24 * HOUR)
        baseline = record.list_cost_usd - task_list(record) + highest
        reaping = record.savings.reaping if record.savings else None
        if reaping is not None:
            baseline += reaping.usd_per_hour * reaping.seconds / 3600
        saved = exact_sum((record.scaling_saving_usd, record.spot_saving_usd, record.reaping_saving_usd))
        assert saved <= baseline - record.effective_cost_usd + Decimal("1e-11")
        claimed += bool(record.scaling_saving_usd) + bool(record.reaping_saving_usd)
    assert claimed > 0
