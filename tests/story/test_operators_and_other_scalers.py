"""What people and EMR's own scalers order is respected: seen, said, and left alone while the policy says so."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, TaskPolicy
from emr_autoscaler.domain.record import DecisionRecord
from emr_simulator.descriptions import GroupResize, ManagedScaling

MINUTE = timedelta(minutes=1)
HALF_AN_HOUR = timedelta(minutes=30)
WITHOUT_IDLE = IdlePolicy(enabled=False)


def told(*, cloudtrail: bool = True, core: int = 2, **task: object) -> tuple[Story, str]:
    """A settled cluster with one empty task group, with or without a trail."""
    policy = live(task=TaskPolicy(**{"max_nodes": 10, **task}), idle=WITHOUT_IDLE)
    story = Story(calm_world(cloudtrail=cloudtrail), policy)
    cluster_id = story.start(cluster(core=core, task=1, tags=OPTED_IN))
    story.run(HALF_AN_HOUR)
    return story, cluster_id


def by_hand(story: Story, cluster_id: str, count: int, *, name: str = "task") -> None:
    group_id = story.groups(cluster_id)[name].group_id
    story.world.emr.modify_instance_groups(cluster_id, [GroupResize(group_id=group_id, count=count)])


def lately(story: Story, cluster_id: str, kind: DecisionKind = DecisionKind.TASK) -> DecisionRecord:
    return story.decisions(cluster_id, kind)[-1]


@pytest.mark.parametrize("cloudtrail", [True, False], ids=["told by CloudTrail", "seen from the count"])
def test_a_count_set_by_hand_stands_for_half_an_hour_and_then_the_system_decides_again(cloudtrail: bool) -> None:
    story, cluster_id = told(cloudtrail=cloudtrail)
    assert story.ordered(cluster_id) == 0
    by_hand(story, cluster_id, 4)
    story.run(29 * MINUTE)
    assert story.ordered(cluster_id) == 4
    record = lately(story, cluster_id)
    assert (record.decision.action, record.decision.reason) == (Action.HOLD, Reason.OPERATOR_RESIZED)
    story.run(15 * MINUTE)
    assert story.ordered(cluster_id) == 0
    assert story.system.given_up == []


def test_who_resized_and_when_and_until_when_it_stands_is_said() -> None:
    story, cluster_id = told()
    called_at = story.world.now
    by_hand(story, cluster_id, 4)
    story.run(10 * MINUTE)
    detail = lately(story, cluster_id).decision.detail
    assert "anna (DataPlatformOps) set group ig-" in detail
    assert f"to 4 at {called_at:%H:%M} UTC" in detail
    assert f"until {called_at + HALF_AN_HOUR:%H:%M} UTC" in detail
    (sent,) = [n for n in story.ports.notifier.sent if n.attributes["reason"] == "OPERATOR_RESIZED"]
    assert sent.attributes["cluster_id"] == cluster_id


def test_a_count_above_the_maximum_stands_although_work_waits() -> None:
    story, cluster_id = told(max_nodes=3)
    by_hand(story, cluster_id, 6)
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(28 * MINUTE)
    assert story.ordered(cluster_id) == 6
    story.run(20 * MINUTE)
    assert story.ordered(cluster_id) == 3


def test_a_count_below_the_minimum_stands_too() -> None:
    story, cluster_id = told(min_nodes=3)
    assert story.ordered(cluster_id) == 3
    by_hand(story, cluster_id, 0)
    story.run(28 * MINUTE)
    assert story.ordered(cluster_id) == 0
    story.run(15 * MINUTE)
    assert story.ordered(cluster_id) == 3


def test_a_resize_cancelled_by_hand_stays_cancelled() -> None:
    story, cluster_id = told()
    story.world.submit_job(cluster_id, job(tasks=20_000))
    story.run(8 * MINUTE)
    ordered = story.ordered(cluster_id)
    assert ordered == 10
    by_hand(story, cluster_id, ordered)  # the count it has: nothing but CloudTrail tells of such a call
    story.run(5 * MINUTE)
    assert lately(story, cluster_id).decision.reason is Reason.OPERATOR_RESIZED


def test_a_policy_may_not_wait_at_all() -> None:
    story, cluster_id = told(operator_hold=timedelta(0))
    by_hand(story, cluster_id, 4)
    story.run(20 * MINUTE)
    assert story.ordered(cluster_id) == 0
    assert not [n for n in story.ports.notifier.sent if n.attributes["reason"] == "OPERATOR_RESIZED"]


@pytest.mark.parametrize("cloudtrail", [True, False])
def test_what_the_system_orders_itself_is_never_taken_for_an_operators(cloudtrail: bool) -> None:
    story = Story(
        calm_world(cloudtrail=cloudtrail),
        live(task=TaskPolicy(max_nodes=8, instance_types=("m5.xlarge", "c5.2xlarge")), idle=WITHOUT_IDLE),
    )
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.world.submit_job(cluster_id, job(tasks=3000))
    story.run(25 * MINUTE)
    victim = next(n for g in story.groups(cluster_id).values() for n in g.nodes if g.spec.market == "SPOT")
    story.world.warn_spot_interruption(victim.ec2_id)
    story.run(timedelta(hours=2))
    done = story.actions(cluster_id)
    assert {Action.SCALE_OUT, Action.SCALE_IN} <= set(done)
    assert story.ports.registry.get(cluster_id).operator_changes == ()


def test_an_event_that_was_lost_is_made_good_by_the_look_that_would_have_acted() -> None:
    lose = {"on": False}
    story, cluster_id = told(cloudtrail=False)
    story._mangle = lambda events: [] if lose["on"] else events
    lose["on"] = True
    by_hand(story, cluster_id, 4)
    story.run(timedelta(seconds=30))
    lose["on"] = False
    story.run(20 * MINUTE)
    assert story.ordered(cluster_id) == 4
    assert lately(story, cluster_id).decision.reason is Reason.OPERATOR_RESIZED


def test_a_look_never_overrides_what_it_has_not_been_told() -> None:
    story, cluster_id = told(cloudtrail=False)
    story._mangle = lambda _events: []
    by_hand(story, cluster_id, 4)
    story.world.run_for(timedelta(seconds=1))
    story.world.take_events()
    # The stored snapshot says 0 nodes and the minimum is raised: a stale look would order 2.
    story.policies.put(live(task=TaskPolicy(min_nodes=2, max_nodes=10), idle=WITHOUT_IDLE))
    record = story.system.use_cases.scale_task_groups(cluster_id, trigger="test")
    assert record is not None
    assert (record.decision.reason, story.ordered(cluster_id)) == (Reason.OPERATOR_RESIZED, 4)


def test_a_loss_during_the_hold_is_replaced_up_to_the_operators_count() -> None:
    policy = live(task=TaskPolicy(max_nodes=4, instance_types=("m5.xlarge", "c5.2xlarge")), idle=WITHOUT_IDLE)
    story = Story(calm_world(), policy)
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(HALF_AN_HOUR)
    first, second = (f"emr-autoscaler spot {name}" for name in ("m5.xlarge", "c5.2xlarge"))
    by_hand(story, cluster_id, 6, name=first)
    story.run(8 * MINUTE)
    groups = story.groups(cluster_id)
    story.world.dry_pool("m5.xlarge", story.world.inside(cluster_id).zone, story.world.now + timedelta(hours=3))
    story.world.warn_spot_interruption(groups[first].nodes[0].ec2_id)
    most: list[int] = []
    story.watch = lambda: most.append(story.ordered(cluster_id))
    story.run(15 * MINUTE)
    assert (groups[first].requested, groups[second].requested) == (5, 1)
    assert max(most) == 6


def test_a_loss_during_the_hold_below_the_maximum_is_replaced_at_once() -> None:
    policy = live(task=TaskPolicy(max_nodes=12, instance_types=("m5.xlarge", "c5.2xlarge")), idle=WITHOUT_IDLE)
    story = Story(calm_world(), policy)
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(HALF_AN_HOUR)
    first, second = (f"emr-autoscaler spot {name}" for name in ("m5.xlarge", "c5.2xlarge"))
    by_hand(story, cluster_id, 4, name=first)
    story.run(8 * MINUTE)
    groups = story.groups(cluster_id)
    story.world.dry_pool("m5.xlarge", story.world.inside(cluster_id).zone, story.world.now + timedelta(hours=3))
    story.world.warn_spot_interruption(groups[first].nodes[0].ec2_id)
    story.run(timedelta(seconds=30))
    assert (groups[first].requested, groups[second].requested) == (4, 1)
    story.run(10 * MINUTE)
    assert (groups[first].requested, groups[second].requested) == (3, 1)


def test_a_core_count_set_by_hand_stands_whatever_hdfs_says() -> None:
    story = Story(
        calm_world(cloudtrail=True),
        live(task=TaskPolicy(enabled=False), core=CorePolicy(min_nodes=2, max_nodes=6), idle=WITHOUT_IDLE),
    )
    cluster_id = story.start(
        cluster(core=4, tags=OPTED_IN, dfs_replication=2),
        prepare=lambda new: story.world.set_hdfs_used_gib(new, 130),
    )
    by_hand(story, cluster_id, 3, name="core")
    hdfs = story.world.inside(cluster_id).hdfs
    story.world.set_hdfs_used_gib(cluster_id, 0.9 * hdfs.capacity_gib)
    story.run(28 * MINUTE)
    assert story.ordered(cluster_id, Role.CORE) == 3
    assert lately(story, cluster_id, DecisionKind.CORE).decision.reason is Reason.OPERATOR_RESIZED
    story.run(20 * MINUTE)
    assert story.ordered(cluster_id, Role.CORE) > 4


def test_a_group_added_by_hand_with_instances_is_left_as_it_is_ordered() -> None:
    story, cluster_id = told()
    spec = replace(story.groups(cluster_id)["task"].spec, name="theirs", count=3)
    story.world.emr.add_instance_groups(cluster_id, [spec])
    story.run(25 * MINUTE)
    assert story.ordered(cluster_id) == 3
    assert lately(story, cluster_id).decision.reason is Reason.OPERATOR_RESIZED


def test_tags_set_by_hand_are_noticed_at_once_where_a_trail_records() -> None:
    story, cluster_id = told()
    story.world.emr.add_tags(cluster_id, {"emr-autoscaler:paused": "true"})
    story.run(2 * MINUTE)
    assert story.ports.registry.get(cluster_id).is_paused
    story.world.emr.remove_tags(cluster_id, ["emr-autoscaler:policy"])
    story.run(2 * MINUTE)
    assert not story.ports.registry.get(cluster_id).is_active


def test_termination_protection_set_by_hand_is_noticed_at_once() -> None:
    story, cluster_id = told()
    story.world.emr.set_termination_protection([cluster_id], protected=True)
    story.run(2 * MINUTE)
    assert story.ports.registry.get(cluster_id).cluster.termination_protected


# --------------------------------------------------------------------------- scaling by EMR itself


@pytest.mark.parametrize("cloudtrail", [True, False], ids=["told by CloudTrail", "told by its first action"])
def test_managed_scaling_that_is_attached_later_is_left_alone_at_once(cloudtrail: bool) -> None:
    story, cluster_id = told(cloudtrail=cloudtrail)
    story.world.emr.put_managed_scaling_policy(cluster_id, ManagedScaling(minimum_units=2, maximum_units=9))
    group_id = story.groups(cluster_id)["task"].group_id
    story.world.resize_by_managed_scaling(cluster_id, group_id, 5)
    story.run(2 * MINUTE)
    before = story.world.calls["ModifyInstanceGroups"]
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(timedelta(hours=1))
    assert story.world.calls["ModifyInstanceGroups"] == before
    record = story.system.use_cases.scale_task_groups(cluster_id, trigger="test")
    assert record is not None
    assert record.decision.reason is Reason.MANAGED_ELSEWHERE
    story.world.emr.remove_managed_scaling_policy(cluster_id)
    story.run(20 * MINUTE)
    assert story.ordered(cluster_id) == 10


def test_a_group_that_gets_an_automatic_scaling_policy_is_left_to_it_until_it_loses_it() -> None:
    story, cluster_id = told(cloudtrail=False)
    group_id = story.groups(cluster_id)["task"].group_id
    story.world.emr.put_auto_scaling_policy(cluster_id, group_id)
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(HALF_AN_HOUR)
    assert story.ordered(cluster_id) == 0
    assert lately(story, cluster_id).decision.reason is Reason.MANAGED_ELSEWHERE
    story.world.emr.remove_auto_scaling_policy(cluster_id, group_id)
    story.run(10 * MINUTE)
    assert story.ordered(cluster_id) == 10
