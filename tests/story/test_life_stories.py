"""Stories of whole lives: idle clusters, lost events, long days, and the bill at the end of them."""

from datetime import timedelta

import pytest
from tests.support.stories import OPTED_IN, Story, job, live, lossy
from tests.support.stormy_days import assert_bill, stormy
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, TaskPolicy
from emr_simulator.words import ClusterState
from emr_simulator.workloads.synthetic import synthetic_day

HOUR = timedelta(hours=1)
POOLS = ("m5.xlarge", "m6g.xlarge", "r5.xlarge")


def state(story: Story, cluster_id: str) -> ClusterState:
    return story.world.inside(cluster_id).state


def test_an_idle_cluster_is_announced_and_then_ended() -> None:
    story = Story(calm_world())
    cluster_id = story.start(cluster(tags=OPTED_IN))
    story.run(2 * HOUR)
    assert story.actions(cluster_id, DecisionKind.IDLE) == [Action.ANNOUNCE, Action.TERMINATE]
    announced, ended = (r for r in story.decisions(cluster_id, DecisionKind.IDLE) if r.decision.action != "HOLD")
    assert ended.decision.decided_at - announced.decision.decided_at >= timedelta(minutes=15)
    assert state(story, cluster_id) is ClusterState.TERMINATED
    assert any("IDLE_ANNOUNCED" in sent.subject for sent in story.ports.notifier.sent)
    assert story.ports.alarms.list_alarms("emr-autoscaler-") == ()


def test_a_busy_cluster_is_kept() -> None:
    story = Story(calm_world())
    cluster_id = story.start(cluster(tags=OPTED_IN))
    story.world.submit_job(cluster_id, job(tasks=1, seconds=4 * 3600))
    story.run(3 * HOUR)
    assert story.actions(cluster_id, DecisionKind.IDLE) == []
    assert state(story, cluster_id) is not ClusterState.TERMINATED


def test_work_after_the_announcement_takes_it_back() -> None:
    story = Story(calm_world(), live(idle=IdlePolicy(warning_period=timedelta(minutes=30))))
    cluster_id = story.start(cluster(tags=OPTED_IN))
    while Action.ANNOUNCE not in story.actions(cluster_id, DecisionKind.IDLE):
        story.run(timedelta(minutes=5))
    story.world.submit_job(cluster_id, job(tasks=1, seconds=1800))
    story.run(HOUR)
    assert story.actions(cluster_id, DecisionKind.IDLE) == [Action.ANNOUNCE]
    assert state(story, cluster_id) is not ClusterState.TERMINATED


def test_a_cluster_kept_by_its_tag_is_kept() -> None:
    story = Story(calm_world())
    story.start(cluster(tags={**OPTED_IN, "emr-autoscaler:keep-until": "2026-10-06T00:00:00Z"}))
    story.run(4 * HOUR)
    assert story.world.calls["TerminateJobFlows"] == 0


def test_a_protected_cluster_is_never_asked_to_end() -> None:
    story = Story(calm_world())
    cluster_id = story.start(cluster(termination_protected=True, tags=OPTED_IN))
    story.run(4 * HOUR)
    assert story.world.calls["TerminateJobFlows"] == 0
    assert state(story, cluster_id) is ClusterState.WAITING


def test_protection_switched_on_after_the_announcement_is_seen_in_time() -> None:
    story = Story(calm_world())
    cluster_id = story.start(cluster(tags=OPTED_IN))
    while Action.ANNOUNCE not in story.actions(cluster_id, DecisionKind.IDLE):
        story.run(timedelta(minutes=1))
    story.world.emr.set_termination_protection([cluster_id], protected=True)
    story.run(HOUR)
    assert story.world.calls["TerminateJobFlows"] == 0


def test_a_cluster_that_opts_in_later_is_found_and_one_that_opts_out_is_let_go() -> None:
    story = Story(calm_world(), live(idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(cluster(task=1))
    story.run(HOUR)
    assert story.ports.registry.get(cluster_id) is None
    story.world.emr.add_tags(cluster_id, OPTED_IN)
    story.run(timedelta(minutes=10))
    assert len(story.ports.alarms.list_alarms("emr-autoscaler-")) == 5
    story.world.emr.remove_tags(cluster_id, list(OPTED_IN))
    story.run(timedelta(minutes=10))
    assert story.ports.alarms.list_alarms("emr-autoscaler-") == ()
    writes = story.world.calls["ModifyInstanceGroups"]
    story.world.submit_job(cluster_id, job(tasks=20_000))
    story.run(HOUR)
    assert story.world.calls["ModifyInstanceGroups"] == writes


# --------------------------------------------------------------------------- long days


def day_policy() -> object:
    task = TaskPolicy(max_nodes=12, instance_types=POOLS)
    return live(task=task, core=CorePolicy(min_nodes=2, max_nodes=5), idle=IdlePolicy(idle_for=timedelta(hours=2)))


def assert_bounds(story: Story, cluster_id: str) -> None:
    inside = story.world.inside(cluster_id)
    nodes = {"TASK": 0, "CORE": 0}
    for group in inside.groups.values():
        if group.spec.role in nodes:
            nodes[group.spec.role] += group.requested
    if inside.state is ClusterState.WAITING:
        assert nodes["TASK"] <= 12
        assert 2 <= nodes["CORE"] <= 5


def play_day(seed: int, *, lost: float = 0.0, doubled: float = 0.0, hours: int = 12, **changes: object) -> Story:
    story = Story(stormy(seed, **changes), day_policy(), mangle=lossy(seed, lost=lost, doubled=doubled))
    ids = [story.start(cluster(core=3, tags=OPTED_IN)) for _ in range(2)]
    for cluster_id in ids:
        for work in synthetic_day(seed=seed, start_hour=9, hours=hours - 4, scale=2.0).jobs:
            at = story.world.now + timedelta(seconds=work.submit_after_seconds)
            story.world.submit_job(cluster_id, work, at=at)
    story.watch = lambda: [assert_bounds(story, cluster_id) for cluster_id in ids]
    story.run(story.world.now.replace(minute=0) + hours * HOUR + timedelta(minutes=10))
    return story


@pytest.mark.parametrize("seed", [1, 2])
def test_a_stormy_day_keeps_its_bounds_and_its_record_equals_the_bill(seed: int) -> None:
    story = play_day(seed)
    assert story.system.given_up == []
    for entry in story.ports.registry._entries.values():
        reasons = {r.decision.reason for r in story.decisions(entry.cluster_id)}
        assert Reason.DEMAND_ABOVE_CAPACITY in reasons
        assert_bill(story, entry.cluster_id)
    taken = [n for c in story.world._lifecycle.clusters.values() for n in c.nodes() if n.interrupted]
    assert any(n.ended_at - n.launched_at < 3600 for n in taken)


def test_doubled_and_reordered_events_change_nothing_that_matters() -> None:
    story = play_day(3, doubled=0.5, hours=8)
    assert story.system.given_up == []
    for cluster_id in story.ports.registry._entries:
        assert_bill(story, cluster_id)


def test_lost_events_are_made_good_by_the_sweep() -> None:
    story = play_day(4, lost=0.4, hours=8)
    assert story.system.given_up == []
    assert len(story.ports.registry._entries) == 2
    for cluster_id in story.ports.registry._entries:
        assert Action.SCALE_OUT in story.actions(cluster_id, DecisionKind.TASK)
        assert_bill(story, cluster_id)
