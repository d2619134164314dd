"""What the sweep of all clusters finds, mends and calls for."""

from dataclasses import replace
from datetime import timedelta

from tests.support.busy_clusters import NO_IDLE, busy_story
from tests.support.stories import Story, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.record import Outcome


def test_the_sweep_closes_lost_intents_and_asks_for_another_look() -> None:
    story, cluster_id = busy_story()
    story.ports.queue.take()
    record = story.system.use_cases.scale_task_groups(cluster_id, trigger="t")
    story.ports.decisions.put(replace(record, outcome=Outcome.INTENDED, told_as=""))
    story.world.run_for(timedelta(minutes=6))
    assert story.system.use_cases.sweep_fleet(full=True).lost_intents == 1
    lost = next(r for r in story.decisions(cluster_id) if r.record_id == record.record_id)
    assert lost.outcome is Outcome.DONE
    assert DecisionKind.TASK in {asked.kind for asked in story.ports.queue.take()}


def test_a_sweep_describes_a_few_clusters_and_all_of_them_in_turn() -> None:
    story = Story(calm_world(), live(idle=NO_IDLE))
    for _ in range(25):
        story.world.emr.run_job_flow(cluster())
    story.world.run_for(timedelta(minutes=60))
    described: set[str] = set()
    reader = story.ports.reader
    look = reader.describe_cluster
    reader.describe_cluster = lambda cluster_id: described.add(cluster_id) or look(cluster_id)  # type: ignore[method-assign, func-returns-value]
    for _ in range(3):
        before = story.world.calls["DescribeCluster"]
        story.system.use_cases.sweep_fleet(full=True)
        assert story.world.calls["DescribeCluster"] - before <= 10
        story.world.run_for(timedelta(minutes=5))
    assert len(described) == 25


def test_a_sweep_deletes_alarms_of_ours_that_belong_to_nobody_and_no_others() -> None:
    story, cluster_id = busy_story()
    story.ports.alarms.put_alarms([])
    kept = set(story.ports.registry.get(cluster_id).alarms)
    spec = next(iter(kept))
    described = story.world.cloudwatch.describe_alarms(names=[spec])[0].alarm
    for name in ("emr-autoscaler-task-j-GONE-pending", "somebody-elses-alarm"):
        story.world.cloudwatch.put_metric_alarm(replace(described, name=name))
    assert story.system.use_cases.sweep_fleet(full=True).orphan_alarms == 1
    assert {*story.ports.alarms.list_alarms("")} == kept | {"somebody-elses-alarm"}


def test_only_a_full_sweep_looks_at_emr() -> None:
    story, _cluster_id = busy_story()
    before = story.world.calls.copy()
    story.system.use_cases.sweep_fleet(full=False)
    assert not story.world.calls - before
