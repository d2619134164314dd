from emr_simulator.applications import NodeManager
from emr_simulator.engine import Engine
from emr_simulator.workloads.model import Job, Stage
from emr_simulator.yarn import Yarn


def a_yarn(*node_mib, stage_gap_seconds=0):
    engine = Engine(0)
    yarn = Yarn(engine, stage_gap_seconds=stage_gap_seconds)
    nodes = [NodeManager(mib, lambda: None) for mib in node_mib]
    for node in nodes:
        yarn.add(node)
    yarn.start()
    return engine, yarn, nodes


def run(engine, until):
    engine.run_until(until, lambda: False)


def a_job(name, *stages):
    return Job(name=name, stages=stages)


def submit(yarn, job, ends=None):
    return yarn.submit(job, lambda: None if ends is None else ends.append(job.name))


def test_earlier_jobs_are_served_first():
    engine, yarn, _ = a_yarn(4096)
    first = submit(yarn, a_job("first", Stage(tasks=3, seconds=10)))
    second = submit(yarn, a_job("second", Stage(tasks=1, seconds=10)))
    run(engine, 100)
    assert (first.ended_at, second.ended_at) == (20, 20)
    assert (first.started_at, second.started_at) == (0, 10)


def test_a_later_stage_of_an_earlier_job_goes_before_a_later_job():
    engine, yarn, _ = a_yarn(2048)
    first = submit(yarn, a_job("first", Stage(tasks=1, seconds=10), Stage(tasks=1, seconds=10, parents=(0,))))
    second = submit(yarn, a_job("second", Stage(tasks=1, seconds=10)))
    run(engine, 100)
    assert (first.ended_at, second.ended_at) == (20, 30)


def test_a_stage_waits_for_all_its_parents():
    engine, yarn, _ = a_yarn(10 * 2048)
    stages = (
        Stage(tasks=1, seconds=10),
        Stage(tasks=1, seconds=25),
        Stage(tasks=1, seconds=5, parents=(0, 1)),
    )
    app = submit(yarn, a_job("diamond", *stages))
    run(engine, 100)
    assert app.ended_at == 30 == app.job.ideal_seconds


def test_containers_are_never_split_over_nodes():
    engine, yarn, _ = a_yarn(3000, 3000)
    submit(yarn, a_job("big", Stage(tasks=3, seconds=10, container_mib=2000)))
    run(engine, 1)
    assert (yarn.running, yarn.pending, yarn.allocated_mib) == (2, 1, 4000)


def test_a_small_container_passes_a_head_that_fits_nowhere():
    engine, yarn, _ = a_yarn(3000)
    submit(yarn, a_job("big", Stage(tasks=2, seconds=50, container_mib=2000)))
    small = submit(yarn, a_job("small", Stage(tasks=1, seconds=10, container_mib=500)))
    run(engine, 20)
    assert small.ended_at == 10


def test_running_tasks_are_never_pre_empted():
    engine, yarn, _ = a_yarn(2048)
    first = submit(yarn, a_job("long", Stage(tasks=1, seconds=1000)))
    submit(yarn, a_job("short", Stage(tasks=1, seconds=1)))
    run(engine, 2000)
    assert (first.ended_at, yarn.lost_container_seconds) == (1000, 0)


def test_delay_is_weighted_with_work():
    engine, yarn, _ = a_yarn(2048)
    submit(yarn, a_job("two", Stage(tasks=2, seconds=10)))
    run(engine, 100)
    assert yarn.delay_integral == 10 * 0 + 10 * 10


def test_a_job_says_when_it_is_done():
    engine, yarn, _ = a_yarn(2048)
    ends = []
    submit(yarn, a_job("one", Stage(tasks=1, seconds=10)), ends)
    run(engine, 9)
    assert ends == []
    run(engine, 10)
    assert ends == ["one"]


def test_a_removed_node_gives_its_tasks_back():
    engine, yarn, (node, _) = a_yarn(2048, 2048)
    app = submit(yarn, a_job("two", Stage(tasks=2, seconds=10)))
    run(engine, 5)
    yarn.remove(node)
    run(engine, 100)
    assert app.ended_at == 20
    assert (yarn.lost_container_seconds, app.killed_container_seconds) == (5, 5)


def test_in_the_gap_between_two_stages_later_jobs_get_what_is_free():
    engine, yarn, _ = a_yarn(2048, stage_gap_seconds=1)
    first = submit(yarn, a_job("first", Stage(tasks=1, seconds=10), Stage(tasks=1, seconds=10, parents=(0,))))
    second = submit(yarn, a_job("second", Stage(tasks=1, seconds=30)))
    run(engine, 100)
    assert (second.started_at, second.ended_at) == (10, 40)
    assert first.ended_at == 50


def test_a_cluster_that_stops_in_the_gap_between_two_stages_asks_for_nothing_more():
    engine, yarn, _ = a_yarn(2048, stage_gap_seconds=5)
    submit(yarn, a_job("first", Stage(tasks=1, seconds=10), Stage(tasks=1, seconds=10, parents=(0,))))
    run(engine, 12)
    yarn.stop()
    run(engine, 100)
    assert (yarn.pending, yarn.running) == (0, 0)
