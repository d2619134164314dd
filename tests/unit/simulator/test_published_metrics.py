from tests.support.simulated import START, a_cluster, a_job, a_world, resize, seconds

from emr_simulator.descriptions import MetricQuery


def read(world, cluster_id, metric, stat="Average", period=300):
    query = MetricQuery(query_id="q", metric=metric, cluster_id=cluster_id, stat=stat, period_seconds=period)
    (series,) = world.cloudwatch.get_metric_data([query], start=START, end=world.now + seconds(1))
    return list(series.points)


def test_a_point_is_seen_only_after_its_delay():
    world = a_world()
    cluster_id = a_cluster(world)
    sampled_at = START + seconds(300)
    world.run_until(sampled_at + seconds(89))
    assert read(world, cluster_id, "IsIdle") == []
    world.run_for(seconds(1))
    assert read(world, cluster_id, "IsIdle") == [(sampled_at, 1.0)]


def test_points_are_taken_on_round_multiples_of_the_period():
    world = a_world(metric_period_seconds=60)
    cluster_id = a_cluster(world)
    world.run_for(seconds(300))
    times = [at for at, _ in read(world, cluster_id, "IsIdle", period=60)]
    assert times == [START + seconds(300 + 60 * n) for n in range(4)]


def test_lost_points_stay_lost():
    world = a_world(lost_metric_fraction=1.0)
    cluster_id = a_cluster(world)
    world.run_for(seconds(3600))
    assert read(world, cluster_id, "IsIdle") == []


def test_a_held_cluster_is_not_sampled():
    world = a_world()
    cluster_id = a_cluster(world, up=False)
    world.hold_metrics(cluster_id, until=START + seconds(1000))
    world.run_for(seconds(1800))
    assert [at for at, _ in read(world, cluster_id, "IsIdle")] == [
        START + seconds(1200),
        START + seconds(1500),
    ]


def test_memory_and_containers_come_from_core_and_task_nodes():
    world = a_world()
    cluster_id = a_cluster(world, core=2, task=1)
    world.submit_job(cluster_id, a_job(tasks=30, lasting=10_000))
    world.run_until(START + seconds(700))
    now = {metric: read(world, cluster_id, metric)[-1][1] for metric in (
        "MemoryTotalMB", "MemoryAllocatedMB", "ContainerAllocated", "ContainerPending",
        "ContainerPendingRatio", "YARNMemoryAvailablePercentage", "AppsRunning", "IsIdle",
    )}  # fmt: skip
    assert now == {
        "MemoryTotalMB": 3 * 12288,
        "MemoryAllocatedMB": 18 * 2048,
        "ContainerAllocated": 18,
        "ContainerPending": 12,
        "ContainerPendingRatio": 12 / 18,
        "YARNMemoryAvailablePercentage": 0.0,
        "AppsRunning": 1,
        "IsIdle": 0.0,
    }


def test_pending_ratio_equals_pending_while_nothing_is_allocated():
    world = a_world(extra_yarn_mib={"m5.xlarge": 1024})
    cluster_id = a_cluster(world)
    world.submit_job(cluster_id, a_job(tasks=7))
    world.run_until(START + seconds(700))
    assert read(world, cluster_id, "ContainerPendingRatio")[-1][1] == 7


def test_a_draining_node_counts_with_what_it_still_uses():
    world = a_world()
    cluster_id = a_cluster(world, core=1, task=1)
    world.submit_job(cluster_id, a_job(tasks=8, lasting=10_000))
    world.run_for(seconds(10))
    resize(world, cluster_id, 0)
    yarn = world.yarn(cluster_id)
    on_task_node = 8 - min(6, 8)
    assert yarn.total_mib == 12288 + on_task_node * 2048


def test_statistics_run_over_the_points_of_a_period():
    world = a_world(metric_period_seconds=60)
    cluster_id = a_cluster(world)
    resize(world, cluster_id, 2)
    world.run_for(seconds(1000))
    assert dict(read(world, cluster_id, "TaskNodesRunning", "Maximum"))[START + seconds(600)] == 2
    assert dict(read(world, cluster_id, "TaskNodesRunning", "Minimum"))[START + seconds(300)] == 0


def test_no_data_comes_from_a_cluster_that_is_gone():
    world = a_world()
    cluster_id = a_cluster(world)
    world.run_for(seconds(100))
    world.emr.terminate_job_flows([cluster_id])
    world.run_for(seconds(3600))
    assert len(read(world, cluster_id, "IsIdle")) == 1


def test_core_nodes_running_counts_core_only():
    world = a_world()
    cluster_id = a_cluster(world, core=4, task=2)
    world.run_for(seconds(100))
    assert read(world, cluster_id, "CoreNodesRunning")[-1][1] == 4


def test_tasks_submitted_at_the_instant_of_a_sample_are_seen_allocated():
    world = a_world()
    cluster_id = a_cluster(world, core=2)
    world.submit_job(cluster_id, a_job(tasks=12, lasting=1000), at=START + seconds(600))
    world.run_until(START + seconds(700))
    assert read(world, cluster_id, "ContainerAllocated")[-1] == (START + seconds(600), 12)
    assert read(world, cluster_id, "ContainerPending")[-1] == (START + seconds(600), 0)
