"""What is done about warnings, maintenance and capacity that cannot be had."""

from datetime import timedelta

from tests.support.busy_clusters import busy_story
from tests.support.worlds import cluster

from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.memory import PoolKey


def test_a_foreign_instance_is_nobodys_and_changes_nothing() -> None:
    story, _cluster_id = busy_story()
    foreign = story.world.add_foreign_instance("m5.xlarge", "us-east-1a")
    answer = story.system.use_cases.handle_interruption
    assert answer.answer_warning(foreign, warned_at=story.world.now, trigger="t") is None
    assert answer.answer_warning("i-0123456789abcdef0", warned_at=story.world.now, trigger="t") is None
    assert not answer.note_rebalance(foreign)


def test_insufficient_capacity_cools_the_pool_and_asks_for_a_look() -> None:
    story, cluster_id = busy_story()
    story.system.use_cases.scale_task_groups(cluster_id, trigger="t")
    story.ports.queue.take()
    story.world.run_for(timedelta(minutes=1))
    answer = story.system.use_cases.cool_pools
    assert answer.note_insufficient_capacity(cluster_id, None, trigger="event")
    zone = story.world.inside(cluster_id).zone
    (health,) = story.ports.pools.get([PoolKey(instance_type="m5.xlarge", availability_zone=zone)])
    assert health.is_cooling(story.world.now)
    assert [asked.kind for asked in story.ports.queue.take()] == [DecisionKind.TASK]
    assert not answer.note_insufficient_capacity("j-OTHER", None, trigger="event")


def test_maintenance_is_told_for_enrolled_clusters_only() -> None:
    story, cluster_id = busy_story()
    other = story.world.emr.run_job_flow(cluster())
    story.world.run_for(timedelta(minutes=30))
    ids = [n.ec2_id for c in (cluster_id, other) for n in story.world.inside(c).nodes() if n.ec2_id]
    assert story.system.use_cases.handle_interruption.note_maintenance(ids, trigger="t") == 1
    assert story.decisions(cluster_id)[-1].decision.reason is Reason.MAINTENANCE_SCHEDULED


def test_a_warned_core_node_is_told_loudly_and_nothing_is_ordered() -> None:
    story, cluster_id = busy_story()
    core = story.groups(cluster_id)["core"]
    calls = story.world.calls["ModifyInstanceGroups"]
    record = story.system.use_cases.handle_interruption.answer_warning(
        next(iter(core.nodes)).ec2_id, warned_at=story.world.now, trigger="t"
    )
    assert (record.decision.action, record.decision.reason) == (Action.ALERT, Reason.CORE_INTERRUPTED)
    assert story.ports.notifier.sent[-1].attributes["severity"] == "critical"
    assert story.world.calls["ModifyInstanceGroups"] == calls
