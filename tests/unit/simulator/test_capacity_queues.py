"""Queues of the capacity scheduler: guarantees, maxima, elasticity, and what must hold in any of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emr_simulator.applications import NodeManager
from emr_simulator.engine import Engine
from emr_simulator.experiment import Setup, run_experiment
from emr_simulator.policies.static import StaticPolicy
from emr_simulator.queues import QueueSpec, UnknownQueueError
from emr_simulator.settings import WorldSettings
from emr_simulator.workloads.model import Job, Stage
from emr_simulator.workloads.synthetic import synthetic_day
from emr_simulator.yarn import Yarn

MIB = 1000


def a_yarn(*queues, nodes=1, node_mib=10 * MIB):
    engine = Engine(0)
    yarn = Yarn(engine, queues=queues)
    for _ in range(nodes):
        yarn.add(NodeManager(node_mib, lambda: None))
    yarn.start()
    return engine, yarn


def submit(yarn, queue, tasks, lasting=100, mib=MIB):
    stage = Stage(tasks=tasks, seconds=lasting, container_mib=mib)
    return yarn.submit(Job(name=f"{queue}-{yarn.submitted}", stages=(stage,), queue=queue), lambda: None)


def run(engine, until):
    engine.run_until(until, lambda: False)


def used(yarn):
    return {queue.spec.name: queue.used_mib // MIB for queue in yarn.queues}


BATCH, ADHOC = QueueSpec(name="batch", guaranteed=0.7), QueueSpec(name="adhoc", guaranteed=0.3)


def test_two_queues_with_work_get_what_they_are_guaranteed():
    engine, yarn = a_yarn(BATCH, ADHOC)
    submit(yarn, "batch", 50)
    submit(yarn, "adhoc", 50)
    run(engine, 1)
    assert used(yarn) == {"batch": 7, "adhoc": 3}


def test_a_queue_goes_past_its_guarantee_while_the_others_have_no_work():
    engine, yarn = a_yarn(BATCH, ADHOC)
    submit(yarn, "adhoc", 50)
    run(engine, 1)
    assert used(yarn) == {"batch": 0, "adhoc": 10}


def test_a_queue_never_goes_past_its_maximum():
    engine, yarn = a_yarn(BATCH, QueueSpec(name="adhoc", guaranteed=0.3, maximum=0.55))
    submit(yarn, "adhoc", 50)
    run(engine, 1)
    assert used(yarn) == {"batch": 0, "adhoc": 5}


def test_a_queue_whose_maximum_is_less_than_a_container_still_gets_one():
    small = QueueSpec(name="adhoc", guaranteed=0.05, maximum=0.05)
    engine, yarn = a_yarn(QueueSpec(name="batch", guaranteed=0.95), small)
    submit(yarn, "adhoc", 5)
    run(engine, 1)
    assert used(yarn) == {"batch": 0, "adhoc": 1}


def test_nothing_is_pre_empted_for_a_guarantee_but_all_that_ends_goes_to_it():
    engine, yarn = a_yarn(BATCH, ADHOC)
    submit(yarn, "adhoc", 5, lasting=50)
    submit(yarn, "adhoc", 30, lasting=100)
    run(engine, 10)
    submit(yarn, "batch", 30, lasting=1000)
    run(engine, 49)
    assert used(yarn) == {"batch": 0, "adhoc": 10}
    run(engine, 50)
    assert used(yarn) == {"batch": 5, "adhoc": 5}
    run(engine, 100)
    assert used(yarn) == {"batch": 7, "adhoc": 3}


def test_inside_a_queue_earlier_jobs_go_first():
    engine, yarn = a_yarn(BATCH, ADHOC)
    submit(yarn, "batch", 50)
    first, second = submit(yarn, "adhoc", 3), submit(yarn, "adhoc", 3)
    run(engine, 1)
    assert (first.started_at, second.started_at) == (0, None)


def test_a_head_that_fits_nowhere_holds_up_neither_its_queue_nor_the_other():
    engine, yarn = a_yarn(BATCH, ADHOC, nodes=2, node_mib=5 * MIB)
    submit(yarn, "batch", 3, mib=3 * MIB)
    submit(yarn, "batch", 1, mib=MIB)
    submit(yarn, "adhoc", 2, mib=MIB)
    run(engine, 1)
    assert used(yarn) == {"batch": 7, "adhoc": 2}


def test_a_job_that_names_no_queue_is_placed_by_its_size():
    queues = (QueueSpec(name="adhoc", guaranteed=0.3), QueueSpec(name="batch", guaranteed=0.7, least_tasks=20))
    _, yarn = a_yarn(*queues)
    assert submit(yarn, None, 19).queue.spec.name == "adhoc"
    assert submit(yarn, None, 20).queue.spec.name == "batch"
    assert submit(yarn, "adhoc", 500).queue.spec.name == "adhoc"


def test_a_job_for_an_unknown_queue_is_refused_and_the_known_ones_are_named():
    _, yarn = a_yarn(BATCH, ADHOC)
    with pytest.raises(UnknownQueueError, match="batch, adhoc"):
        submit(yarn, "etl", 1)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"guaranteed": 0.0}, "guaranteed"),
        ({"guaranteed": 0.5, "maximum": 0.4}, "maximum"),
        ({"maximum": 1.5}, "maximum"),
        ({"least_tasks": -1}, "least_tasks"),
        ({"name": ""}, "name"),
    ],
)
def test_a_queue_that_cannot_be_is_refused_by_field(wrong, field):
    with pytest.raises(ValueError, match=field):
        QueueSpec(**{"name": "q", **wrong})


@pytest.mark.parametrize(
    "queues",
    [
        (),
        (BATCH,),
        (BATCH, BATCH, ADHOC),
        (QueueSpec(name="a", guaranteed=0.5, least_tasks=2), QueueSpec(name="b", guaranteed=0.5, least_tasks=1)),
    ],
    ids=["none", "less than the whole", "one name twice", "no place for small jobs"],
)
def test_queues_that_do_not_share_one_cluster_are_refused(queues):
    with pytest.raises(ValueError, match=r"queue|guaranteed"):
        WorldSettings(queues=queues)


# ---------------------------------------------------------------------- what must hold

SHARES = st.sampled_from([(0.5, 0.5), (0.7, 0.3), (0.9, 0.1)])
MAXIMA = st.tuples(st.sampled_from([0.9, 1.0]), st.sampled_from([0.5, 0.8, 1.0]))
SUBMISSIONS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["one", "two"]), st.integers(1, 30), st.integers(1, 40)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60)
@given(SHARES, MAXIMA, SUBMISSIONS, st.integers(1, 4))
def test_in_any_second_maxima_and_guarantees_hold_and_nothing_lies_idle(shares, maxima, submissions, nodes):
    specs = [
        QueueSpec(name=name, guaranteed=share, maximum=max(share, most))
        for name, share, most in zip(("one", "two"), shares, maxima, strict=True)
    ]
    engine, yarn = a_yarn(*specs, nodes=nodes)
    for at, queue, tasks, lasting in submissions:
        engine.at(at, lambda queue=queue, tasks=tasks, lasting=lasting: submit(yarn, queue, tasks, lasting))
    before = {"one": 0, "two": 0}
    for second in range(2000):
        run(engine, second)
        total = yarn.total_mib
        assert sum(queue.used_mib for queue in yarn.queues) == yarn.allocated_mib <= total
        for queue in yarn.queues:
            spec, (other,) = queue.spec, [one for one in yarn.queues if one is not queue]
            # never over its maximum, but for the one container that it may always have
            assert queue.used_mib <= max(MIB, spec.maximum * total + 1e-6)
            if not queue.ready:
                continue
            # work conserving: who waits is at its maximum, or there is no room on any node
            at_maximum = queue.used_mib + MIB > spec.maximum * total + 1e-6
            assert at_maximum or all(node.free_mib < MIB for node in yarn.nodes)
            # no starvation: who waits below its guarantee sees no richer queue grow
            if queue.used_mib + MIB <= spec.guaranteed * total and other.share > queue.share:
                grown = other.used_mib > before[other.spec.name]
                assert not grown or other.share - queue.share <= MIB / min(spec.guaranteed, other.spec.guaranteed)
        before = {queue.spec.name: queue.used_mib for queue in yarn.queues}
        if second > 60 and not yarn.live:
            break
    assert len(yarn.ended) == len(submissions)


@settings(max_examples=30)
@given(SUBMISSIONS, st.integers(1, 4))
def test_one_queue_by_any_name_is_first_in_first_out(submissions, nodes):
    def ends(*queues):
        engine, yarn = a_yarn(*queues, nodes=nodes)
        for at, _, tasks, lasting in submissions:
            engine.at(at, lambda tasks=tasks, lasting=lasting: submit(yarn, None, tasks, lasting))
        run(engine, 10_000)
        return [(app.number, app.started_at, app.ended_at) for app in yarn.ended], yarn.delay_integral

    assert ends(QueueSpec(name="all")) == ends(QueueSpec(name="default"))
    fair = ends(QueueSpec(name="all", guaranteed=0.5), QueueSpec(name="unused", guaranteed=0.5))
    assert fair == ends(QueueSpec(name="default"))


# ---------------------------------------------------------------------- in an experiment


def test_a_day_of_two_queues_keeps_small_jobs_from_waiting_behind_large_ones():
    day = synthetic_day(seed=1, start_hour=12, hours=3, scale=2, queues=("adhoc", "batch"))
    assert {job.queue for job in day.jobs} == {"adhoc", "batch"}
    shared = Setup(queues=(QueueSpec(name="adhoc", guaranteed=0.5), QueueSpec(name="batch", guaranteed=0.5)))
    one = synthetic_day(seed=1, start_hour=12, hours=3, scale=2)
    with_queues = run_experiment(policy=StaticPolicy(6), workload=day, seed=1, setup=shared)
    without = run_experiment(policy=StaticPolicy(6), workload=one, seed=1)
    assert set(with_queues.queues) == {"adhoc", "batch"}
    assert with_queues.bsld["p50"] < without.bsld["p50"]
    assert with_queues.queues["adhoc"]["p95"] < with_queues.queues["batch"]["p95"]
    assert without.queues == {}


def test_an_experiment_says_so_when_its_jobs_name_a_queue_that_is_not_there():
    day = synthetic_day(seed=1, start_hour=12, hours=1, queues=("adhoc", "batch"))
    with pytest.raises(UnknownQueueError, match="default"):
        run_experiment(policy=StaticPolicy(1), workload=day, seed=1)
