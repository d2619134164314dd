"""What must hold in any world, whatever is done to it."""

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.simulated import a_cluster, a_world, group_of, resize, seconds

from emr_simulator.descriptions import MetricQuery
from emr_simulator.errors import ApiError
from emr_simulator.settings import LognormalDelay, SpotOutages
from emr_simulator.words import BillComponent, InstanceState, Role
from emr_simulator.workloads.model import Job, Stage

RESIZE = st.tuples(st.just("resize"), st.integers(0, 8), st.sampled_from([0, 120, 3600]))
CORE = st.tuples(st.just("core"), st.integers(1, 6), st.just(0))
JOB = st.tuples(st.just("job"), st.integers(1, 60), st.integers(1, 900))
WARN = st.tuples(st.just("warn"), st.integers(0, 7), st.just(0))
PASS = st.tuples(st.just("pass"), st.integers(1, 900), st.just(0))
STORIES = st.lists(st.one_of(RESIZE, CORE, JOB, WARN, PASS, PASS), min_size=1, max_size=25)


def tell(story, seed=1):
    """Play a story on a fresh world; return it and its cluster."""
    world = a_world(
        seed=seed,
        enforce_quotas=False,
        provisioning_delay=LognormalDelay(),
        spot_outages=SpotOutages(mean_up_seconds=4000.0),
        spot_prices_move=True,
    )
    cluster_id = a_cluster(world, core=3, task=2)
    world.set_hdfs_used_gib(cluster_id, 60.0)
    for number, (kind, first, second) in enumerate(story):
        if kind == "resize":
            attempt(resize, world, cluster_id, first, decommission_timeout_seconds=second)
        elif kind == "core":
            attempt(resize, world, cluster_id, first, Role.CORE)
        elif kind == "job":
            world.submit_job(cluster_id, a_chain(f"job-{number}", first, second))
        elif kind == "warn":
            nodes = [n for n in group_of(world, cluster_id).nodes if n.ec2_id]
            if nodes:
                world.warn_spot_interruption(nodes[first % len(nodes)].ec2_id)
        else:
            world.run_for(seconds(first))
            check_containers(world.inside(cluster_id))
    return world, cluster_id


def attempt(call, *args, **named):
    try:
        call(*args, **named)
    except ApiError as error:
        if error.code not in {"ValidationException", "InvalidRequestException"}:
            raise


def a_chain(name, tasks, lasting):
    maps = Stage(tasks=tasks, seconds=lasting, container_mib=2048 + 1024 * (tasks % 3))
    reduces = Stage(tasks=max(1, tasks // 3), seconds=lasting // 2 + 1, parents=(0,))
    return Job(name=name, stages=(maps, reduces))


def check_containers(cluster):
    """Each task is done, running once or pending; no node gives more memory than it has."""
    running = Counter()
    for node in cluster.yarn.nodes:
        used = 0
        for batch, containers in node.batches.items():
            assert containers > 0
            assert batch.counts[node] == containers
            running[batch.stage] += containers
            used += containers * batch.stage.stage.container_mib
        assert node.total_mib - node.free_mib == used <= node.total_mib
    assert sum(running.values()) == cluster.yarn.running
    ready = [run for queue in cluster.yarn.queues for run in queue.ready]
    assert sum(run.pending for run in ready) == cluster.yarn.pending
    assert sum(run.pending * run.stage.container_mib for run in ready) == cluster.yarn.pending_mib
    for app in cluster.yarn.live:
        for stage in app.stages:
            assert stage.done + stage.pending + running[stage] == stage.stage.tasks


@settings(max_examples=40)
@given(STORIES)
def test_work_done_and_work_lost_is_work_paid_for(story):
    world, cluster_id = tell(story)
    yarn = world.yarn(cluster_id)
    now = world._kernel.now
    in_flight = sum(
        containers * (now - batch.started_at) for node in yarn.nodes for batch, containers in node.batches.items()
    )
    assert yarn.served_now == yarn.done_container_seconds + yarn.lost_container_seconds + in_flight


@settings(max_examples=40)
@given(STORIES)
def test_billed_seconds_are_the_lives_of_the_instances(story):
    world, cluster_id = tell(story)
    now = world._kernel.now
    lived = 0
    for node in world.inside(cluster_id).nodes():
        if node.launched_at is not None:
            life = (now if node.ended_at is None else node.ended_at) - node.launched_at
            lived += life if node.ended_at is None else max(60, life)
    bill = world.ledger.bill()
    assert sum(line.seconds for line in bill.lines if line.component is BillComponent.EMR_FEE) == lived
    assert all(line.usd_exact >= 0 for line in bill.lines)


def counted(cluster):
    """Count anew, node by node and stage by stage, what the metrics of a cluster should say."""
    nodes = list(cluster.yarn.nodes)
    used = sum(node.total_mib - node.free_mib for node in nodes)
    stages = [stage for app in cluster.yarn.live for stage in app.stages if not stage.parents_left]
    tasks = [n for n in cluster.nodes() if n.group.spec.role is Role.TASK and n.state is InstanceState.RUNNING]
    return {
        "ContainerAllocated": sum(sum(node.batches.values()) for node in nodes),
        "ContainerPending": sum(stage.pending for stage in stages),
        "MemoryAllocatedMB": used,
        "MemoryTotalMB": used + sum(node.free_mib for node in nodes if node.accepts),
        "AppsSubmitted": len(cluster.yarn.live) + len(cluster.yarn.ended),
        "TaskNodesRunning": len(tasks),
    }


@settings(max_examples=30)
@given(STORIES)
def test_published_metrics_are_the_state_at_the_instant_of_sampling(story):
    world, cluster_id = tell(story)
    for _ in range(3):
        world.run_for(seconds(300 - world._kernel.now % 300))
        sampled_at, expected = world.now, counted(world.inside(cluster_id))
        world.run_for(seconds(120))
        queries = [MetricQuery(query_id=name.lower(), metric=name, cluster_id=cluster_id) for name in expected]
        answers = world.cloudwatch.get_metric_data(queries, start=sampled_at, end=sampled_at + seconds(300))
        shown = {
            query.metric: dict(answer.points)[sampled_at] for query, answer in zip(queries, answers, strict=True)
        }
        assert shown == expected


@settings(max_examples=20)
@given(STORIES, st.integers(0, 3))
def test_the_same_seed_gives_the_same_bytes(story, seed):
    def everything():
        world, _ = tell(story, seed)
        bill = [
            (line.cluster_id, str(line.hour), line.group_id, line.component, line.usd_exact)
            for line in world.ledger.bill().lines
        ]
        return json.dumps(world.take_events()), bill, world.calls

    assert everything() == everything()


@settings(max_examples=30)
@given(STORIES)
def test_every_group_reaches_what_was_asked_for_once_left_alone(story):
    world, cluster_id = tell([step for step in story if step[0] not in {"core", "warn"}])
    world._resizer.instances.pools.has_capacity = lambda *_: True
    group = group_of(world, cluster_id)
    for _ in range(200):
        world.run_for(seconds(600))
        if group.state.value == "RUNNING" and not world.yarn(cluster_id).live:
            break
    assert group.running == group.requested == len(group.nodes)
    assert all(node.state is InstanceState.RUNNING for node in group.nodes)


@settings(max_examples=10)
@given(STORIES)
def test_every_job_ends_once_left_alone(story):
    world, cluster_id = tell(story)
    world.run_for(seconds(1))
    for _ in range(400):
        if not world.yarn(cluster_id).live:
            break
        world.run_for(seconds(1800))
    yarn = world.yarn(cluster_id)
    jobs = sum(step[0] == "job" for step in story)
    assert len(yarn.ended) == jobs
    assert yarn.done_container_seconds == sum(app.job.work_seconds for app in yarn.ended)
