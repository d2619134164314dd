from datetime import timedelta
from itertools import pairwise

import pytest
from tests.support.worlds import START, calm_world, cluster, run_cluster

from emr_autoscaler.domain.errors import RefusedError
from emr_autoscaler.domain.metrics import PUSHED_ONLY, MetricName

MINUTE = timedelta(minutes=1)
ALL = tuple(name for name in MetricName if name not in PUSHED_ONLY)


def test_a_sample_is_seen_only_once_it_is_published(aws):
    cluster_id = run_cluster(aws.world)
    sampled_at = aws.world.now + 5 * MINUTE
    aws.world.run_until(sampled_at + timedelta(seconds=30))

    def seen():
        answer = aws.metrics.read_metrics(
            [cluster_id], [MetricName.IS_IDLE], start=sampled_at, end=sampled_at + 5 * MINUTE
        )
        return [point.at for point in answer[cluster_id].series.get(MetricName.IS_IDLE, ())]

    assert seen() == []
    aws.world.run_for(2 * MINUTE)
    assert seen() == [sampled_at]


def test_every_metric_that_decisions_read_is_there(aws):
    cluster_id = run_cluster(aws.world, cluster(core=3, task=2))
    metrics = aws.metrics.read_metrics([cluster_id], ALL, start=START, end=aws.world.now)[cluster_id]

    def latest(name):
        point = metrics.latest(name, now=aws.world.now, max_age=15 * MINUTE)
        assert point is not None, name
        return point.value

    assert {name for name in ALL if latest(name) >= 0} == set(ALL)
    assert latest(MetricName.IS_IDLE) == 1
    assert latest(MetricName.CORE_NODES_RUNNING) == 3
    assert latest(MetricName.TASK_NODES_RUNNING) == 2
    assert latest(MetricName.MEMORY_TOTAL_MIB) == 5 * 12288
    assert latest(MetricName.YARN_MEMORY_AVAILABLE_PERCENTAGE) == 100


def test_demand_shows_in_the_metrics(aws, busy_job):
    cluster_id = run_cluster(aws.world, cluster(core=1))
    aws.world.submit_job(cluster_id, busy_job)
    aws.world.run_for(10 * MINUTE)
    metrics = aws.metrics.read_metrics([cluster_id], ALL, start=aws.world.now - 10 * MINUTE, end=aws.world.now)[
        cluster_id
    ]
    assert metrics.series[MetricName.APPS_RUNNING][-1].value == 1
    assert metrics.series[MetricName.CONTAINER_PENDING][-1].value > 0
    assert metrics.series[MetricName.IS_IDLE][-1].value == 0


def test_a_window_includes_its_start_and_excludes_its_end(aws):
    cluster_id = run_cluster(aws.world)
    aws.world.run_for(timedelta(hours=1))
    start = START + timedelta(minutes=40)
    metrics = aws.metrics.read_metrics([cluster_id], [MetricName.IS_IDLE], start=start, end=start + 15 * MINUTE)[
        cluster_id
    ]
    assert [point.at for point in metrics.series[MetricName.IS_IDLE]] == [
        start,
        start + 5 * MINUTE,
        start + 10 * MINUTE,
    ]
    assert metrics.period == 5 * MINUTE


def test_samples_of_every_minute_are_seen_where_a_cluster_has_them(aws_of):
    aws = aws_of(calm_world(metric_period_seconds=60))
    cluster_id = run_cluster(aws.world)
    now = aws.world.now

    def read(window):
        read = aws.metrics.read_metrics([cluster_id], [MetricName.IS_IDLE], start=now - window, end=now)
        return read[cluster_id]

    fine = read(15 * MINUTE)
    times = [point.at for point in fine.series[MetricName.IS_IDLE]]
    assert fine.period == MINUTE
    assert {later - earlier for earlier, later in pairwise(times)} == {MINUTE}
    coarse = read(timedelta(hours=4))
    assert coarse.period == 5 * MINUTE


def test_metrics_that_no_cloudwatch_has_have_no_points(aws):
    cluster_id = run_cluster(aws.world)
    read = aws.metrics.read_metrics([cluster_id], sorted(PUSHED_ONLY), start=START, end=aws.world.now)
    assert read[cluster_id].series == {}


def test_a_cluster_without_data_gets_an_entry_without_points(aws):
    known = run_cluster(aws.world)
    answer = aws.metrics.read_metrics(
        [known, "j-NOSUCHCLUSTER"], [MetricName.IS_IDLE], start=START, end=aws.world.now
    )
    assert answer["j-NOSUCHCLUSTER"].series == {}
    assert answer["j-NOSUCHCLUSTER"].cluster_id == "j-NOSUCHCLUSTER"
    assert answer[known].series[MetricName.IS_IDLE]


def test_no_clusters_are_no_call(aws):
    assert aws.metrics.read_metrics([], ALL, start=START, end=START + MINUTE) == {}
    assert aws.world.calls["GetMetricData"] == 0


def test_many_clusters_are_read_in_batches_of_500_metrics(aws):
    cluster_ids = [aws.world.emr.run_job_flow(cluster(core=1)) for _ in range(40)]
    aws.world.run_for(timedelta(minutes=30))

    answer = aws.metrics.read_metrics(cluster_ids, ALL, start=aws.world.now - 10 * MINUTE, end=aws.world.now)

    assert list(answer) == cluster_ids
    assert all(set(answer[i].series) == set(ALL) for i in cluster_ids)
    assert aws.world.calls["GetMetricData"] == 2


def test_the_same_cluster_twice_is_asked_for_once(aws):
    cluster_id = run_cluster(aws.world)
    answer = aws.metrics.read_metrics(
        [cluster_id, cluster_id], [MetricName.IS_IDLE], start=START, end=aws.world.now
    )
    assert list(answer) == [cluster_id]


def test_an_empty_window_is_refused(aws):
    with pytest.raises(RefusedError):
        aws.metrics.read_metrics(["j-1"], [MetricName.IS_IDLE], start=START, end=START)
