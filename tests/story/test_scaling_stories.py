"""Stories of task and core capacity: the deployed use cases on a World, told from event to outcome."""

from datetime import timedelta
from itertools import pairwise

from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster, group

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, TaskPolicy
from emr_simulator import words
from emr_simulator.descriptions import ManagedScaling

POOLS = ("m5.xlarge", "c5.2xlarge", "r5.xlarge")
"""The first two have the same YARN memory."""
WRITES = {
    "ModifyInstanceGroups",
    "AddInstanceGroups",
    "TerminateJobFlows",
    "PutMetricAlarm",
    "AddTags",
    "SetTerminationProtection",
}
HOUR = timedelta(hours=1)


def pools_policy(**changes: object) -> TaskPolicy:
    return TaskPolicy(**{"max_nodes": 12, "instance_types": POOLS, **changes})


def without_idle(**sections: object) -> object:
    return live(idle=IdlePolicy(enabled=False), **sections)


def test_a_burst_scales_out_over_the_spot_groups_and_back_in_when_it_is_over() -> None:
    story = Story(calm_world(), without_idle(task=pools_policy()))
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    assert len(story.groups(cluster_id)) == 6
    story.world.submit_job(cluster_id, job(tasks=3000, seconds=60))
    seen: set[tuple[int, ...]] = set()
    story.watch = lambda: seen.add(
        tuple(g.requested for n, g in sorted(story.groups(cluster_id).items()) if n.startswith("emr-autoscaler"))
    )
    story.run(2 * HOUR)
    on_demand, *spot = max(seen, key=sum)
    assert on_demand == 0
    assert all(count >= 2 for count in spot)
    assert sum(spot) <= 12
    assert story.ordered(cluster_id) == 0
    assert story.actions(cluster_id, DecisionKind.TASK)[-1] is Action.SCALE_IN
    assert story.system.given_up == []


def test_a_warned_instance_is_replaced_in_another_pool_and_its_group_lowered_afterwards() -> None:
    story = Story(calm_world(), without_idle(task=pools_policy(max_nodes=6, instance_types=POOLS[:2])))
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.world.submit_job(cluster_id, job(tasks=40_000, seconds=60))
    story.run(timedelta(minutes=40))
    first, second = (story.groups(cluster_id)[f"emr-autoscaler spot {name}"] for name in POOLS[:2])
    assert (first.requested, second.requested) == (3, 3)
    zone = story.world.inside(cluster_id).zone
    story.world.dry_pool(POOLS[0], zone, story.world.now + 3 * HOUR)
    totals: list[int] = []
    story.watch = lambda: totals.append(story.ordered(cluster_id))
    victim = next(iter(first.nodes))
    story.world.warn_spot_interruption(victim.ec2_id)
    story.run(timedelta(minutes=30))
    assert (first.requested, second.requested, max(totals)) == (2, 4, 6)
    assert story.system.given_up == []


def test_a_warned_instance_below_the_maximum_is_replaced_within_its_notice() -> None:
    story = Story(
        calm_world(), without_idle(task=pools_policy(min_nodes=2, max_nodes=6, instance_types=POOLS[:2]))
    )
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(timedelta(minutes=20))
    first, second = (story.groups(cluster_id)[f"emr-autoscaler spot {name}"] for name in POOLS[:2])
    assert (first.requested, second.requested) == (1, 1)
    zone = story.world.inside(cluster_id).zone
    story.world.dry_pool(POOLS[0], zone, story.world.now + 3 * HOUR)
    story.world.warn_spot_interruption(next(iter(first.nodes)).ec2_id)
    story.run(timedelta(seconds=30))
    assert (first.requested, second.requested) == (1, 2)
    story.run(timedelta(minutes=10))
    assert (first.requested, second.requested) == (0, 2)
    kinds = story.actions(cluster_id, DecisionKind.INTERRUPTION)
    assert kinds == [Action.REPLACE]


def test_two_warnings_at_the_same_moment_are_two_replacements_and_no_more() -> None:
    story = Story(
        calm_world(), without_idle(task=pools_policy(min_nodes=10, max_nodes=14, instance_types=POOLS[:2]))
    )
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(timedelta(minutes=20))
    first, second = (story.groups(cluster_id)[f"emr-autoscaler spot {name}"] for name in POOLS[:2])
    zone = story.world.inside(cluster_id).zone
    story.world.dry_pool(POOLS[0], zone, story.world.now + 3 * HOUR)
    for node in list(first.nodes)[:2]:
        story.world.warn_spot_interruption(node.ec2_id)
    story.run(timedelta(seconds=30))
    assert (first.requested, second.requested) == (5, 7)
    story.run(timedelta(minutes=30))
    assert (first.requested, second.requested) == (3, 7)


def test_two_events_for_one_cluster_at_the_same_moment_end_in_one_resize() -> None:
    doubled = Story(calm_world(), without_idle(task=pools_policy()), mangle=lambda events: [*events, *events])
    cluster_id = doubled.start(cluster(core=2, tags=OPTED_IN))
    before = doubled.world.calls["ModifyInstanceGroups"]
    doubled.world.submit_job(cluster_id, job(tasks=20_000, seconds=60))
    doubled.run(timedelta(minutes=9))
    assert doubled.world.calls["ModifyInstanceGroups"] - before == 1
    assert doubled.system.given_up == []


def test_a_filling_hdfs_gets_core_nodes_and_an_emptied_one_loses_one_at_a_time() -> None:
    policy = without_idle(task=TaskPolicy(enabled=False), core=CorePolicy(min_nodes=3, max_nodes=6))
    story = Story(calm_world(), policy)
    cluster_id = story.start(
        cluster(core=4, tags=OPTED_IN), prepare=lambda new: story.world.set_hdfs_used_gib(new, 130)
    )
    hdfs = story.world.inside(cluster_id).hdfs
    story.world.set_hdfs_used_gib(cluster_id, 0.8 * hdfs.capacity_gib)
    story.run(HOUR)
    assert story.ordered(cluster_id, Role.CORE) == 6
    counts: list[int] = []
    story.watch = lambda: counts.append(story.ordered(cluster_id, Role.CORE))
    story.world.set_hdfs_used_gib(cluster_id, 0.05 * hdfs.capacity_gib)
    story.run(4 * HOUR)
    assert story.ordered(cluster_id, Role.CORE) == 3
    assert {before - after for before, after in pairwise(counts)} <= {0, 1}
    assert story.system.given_up == []


def test_under_replicated_blocks_keep_every_core_node() -> None:
    policy = without_idle(task=TaskPolicy(enabled=False), core=CorePolicy(min_nodes=2, max_nodes=6))
    story = Story(calm_world(), policy)
    cluster_id = story.start(
        cluster(core=5, tags=OPTED_IN, dfs_replication=2),
        prepare=lambda new: story.world.set_hdfs_blocks(new, under_replicated=1),
    )
    story.run(3 * HOUR)
    assert story.ordered(cluster_id, Role.CORE) == 5
    assert Reason.HDFS_UNHEALTHY in {r.decision.reason for r in story.decisions(cluster_id, DecisionKind.CORE)}


def test_a_cluster_without_the_tag_is_never_written_to() -> None:
    story = Story(calm_world(), live(task=pools_policy()))
    cluster_id = story.start(cluster(core=3, task=2, spot=2))
    story.world.submit_job(cluster_id, job(tasks=20_000, seconds=60))
    story.world.set_hdfs_used_gib(cluster_id, 10_000)
    spot = story.groups(cluster_id)["spot"]
    story.world.warn_spot_interruption(next(iter(spot.nodes)).ec2_id)
    story.run(3 * HOUR)
    assert not WRITES & {name for name, count in story.world.calls.items() if count}
    assert story.ports.registry.get(cluster_id) is None


def test_a_cluster_with_managed_scaling_of_its_own_is_left_to_it() -> None:
    story = Story(calm_world(), without_idle(task=pools_policy(min_nodes=3)))
    managed = ManagedScaling(minimum_units=2, maximum_units=10)
    cluster_id = story.start(cluster(core=3, task=2, managed_scaling=managed, tags=OPTED_IN))
    story.world.submit_job(cluster_id, job(tasks=20_000, seconds=60))
    story.run(2 * HOUR)
    assert not {"ModifyInstanceGroups", "AddInstanceGroups", "TerminateJobFlows"} & {*+story.world.calls}


def test_a_group_with_automatic_scaling_of_its_own_is_left_to_it() -> None:
    story = Story(calm_world(), without_idle(task=TaskPolicy(max_nodes=10)))
    groups = (
        group(words.Role.MASTER, 1, name="master"),
        group(words.Role.CORE, 2, name="core"),
        group(words.Role.TASK, 1, name="theirs", has_auto_scaling_policy=True),
        group(words.Role.TASK, 0, name="ours"),
    )
    cluster_id = story.start(cluster(groups=groups, tags=OPTED_IN))
    story.world.submit_job(cluster_id, job(tasks=20_000, seconds=60))
    story.run(timedelta(minutes=30))
    assert {name: g.requested for name, g in story.groups(cluster_id).items() if g.spec.role == "TASK"} == {
        "theirs": 1,
        "ours": 9,
    }


def test_metrics_that_stop_coming_change_nothing() -> None:
    story = Story(calm_world(), without_idle(task=TaskPolicy(max_nodes=10)))
    cluster_id = story.start(cluster(core=2, task=6, tags=OPTED_IN))
    story.world.hold_metrics(cluster_id, until=story.world.now + 3 * HOUR)
    before = story.ordered(cluster_id)
    story.run(timedelta(hours=2, minutes=50))
    assert story.ordered(cluster_id) == before


def test_a_paused_cluster_that_is_resumed_is_looked_at_again() -> None:
    story = Story(calm_world(), without_idle(task=TaskPolicy(max_nodes=10)))
    cluster_id = story.start(cluster(core=2, task=1, tags={**OPTED_IN, "emr-autoscaler:paused": "true"}))
    story.world.submit_job(cluster_id, job(tasks=40_000, seconds=60))
    story.run(timedelta(minutes=30))
    assert story.ordered(cluster_id) == 1
    story.world.emr.remove_tags(cluster_id, ["emr-autoscaler:paused"])
    story.run(timedelta(minutes=15))
    assert story.ordered(cluster_id) == 10


def test_a_minimum_raised_in_the_policy_reaches_a_settled_cluster() -> None:
    story = Story(calm_world(), without_idle(task=TaskPolicy(max_nodes=10)))
    cluster_id = story.start(cluster(core=2, spot=1, tags=OPTED_IN))
    story.run(HOUR)
    assert story.ordered(cluster_id) == 0
    story.policies.put(without_idle(task=TaskPolicy(min_nodes=3, max_nodes=10)))
    story.run(timedelta(minutes=15))
    assert story.ordered(cluster_id) == 3
