"""The comparison with a real ResourceManager, without one: its figures, its files, its recording of a World."""

import shutil

import pytest

from emr_simulator.workloads.model import Job, Stage, Workload
from emr_simulator.yarn_check import __main__ as command
from emr_simulator.yarn_check.comparison import compare, distance, table
from emr_simulator.yarn_check.outcomes import METRICS, JobTimes, Leave, NodeTimes, Outcome
from emr_simulator.yarn_check.resource_manager import plan_lines, read_answer
from emr_simulator.yarn_check.simulated import simulate
from emr_simulator.yarn_check.slices import Replay, Scheduler, Slice


def an_outcome(responses, allocated=(100.0,) * 600, leaves=()):
    jobs = {
        f"job-{number}": JobTimes(submitted=0.0, started=1.0, ended=response, lost_seconds=0.0)
        for number, response in enumerate(responses)
    }
    samples = dict.fromkeys(METRICS, allocated)
    return Outcome(jobs=jobs, samples=samples, leaves=leaves)


def row(rows, figure):
    (found,) = [each for each in rows if each.figure == figure]
    return found


def test_a_difference_is_the_simulators_from_yarns():
    rows = compare(an_outcome([90.0, 180.0]), an_outcome([100.0, 200.0]))
    mean = row(rows, "job response, mean (s)")
    assert (mean.simulator, mean.yarn, mean.difference) == (135.0, 150.0, pytest.approx(-0.1))
    assert mean.agrees


def test_a_difference_over_its_limit_is_marked_only_where_limits_hold():
    rows = compare(an_outcome([50.0]), an_outcome([100.0]))
    assert not row(rows, "job response, mean (s)").agrees
    assert "**over**" in table("x", rows, held_to_limits=True)
    assert "**over**" not in table("x", rows, held_to_limits=False)


def test_values_over_time_are_compared_period_by_period_and_not_by_their_mean():
    early, late = (100.0,) * 300 + (0.0,) * 300, (0.0,) * 300 + (100.0,) * 300
    allocated = row(compare(an_outcome([9.0], early), an_outcome([9.0], late)), "MemoryAllocatedMB")
    assert (allocated.simulator, allocated.yarn, allocated.difference) == (50.0, 50.0, 2.0)


def test_a_series_that_ends_early_counts_as_nothing_from_there():
    assert distance((60.0,) * 300, (60.0,) * 600) == 30.0


def test_outcomes_of_different_jobs_are_not_compared():
    with pytest.raises(ValueError, match="job-1"):
        compare(an_outcome([1.0]), an_outcome([1.0, 2.0]))


def test_the_plan_says_when_nodes_come_and_leave_and_what_jobs_are_made_of():
    stages = (
        Stage(tasks=3, seconds=20, container_mib=2048),
        Stage(tasks=1, seconds=30, container_mib=1024, parents=(0,)),
    )
    work = Workload(name="w", jobs=(Job(name="a", stages=stages, submit_after_seconds=7),), seconds=10)
    nodes = {"i-1": NodeTimes(mib=12288, up=0), "i-2": NodeTimes(mib=6144, up=5, drains=((8, 90),), recalls=(9,))}
    assert plan_lines(nodes, {"i-1": "127.1.0.1", "i-2": "127.1.0.2"}, work) == [
        "node\t127.1.0.1\t12288\t0\n",
        "node\t127.1.0.2\t6144\t15000\n",
        "drain\t127.1.0.2\t18000\t100000\n",
        "recall\t127.1.0.2\t19000\n",
        "job\ta\t17000\t3,20,2048,\t1,30,1024,0\n",
    ]


def test_the_answer_is_read_from_the_beginning_of_the_slice_on():
    numbers = "\t".join(["2048", "0", "1", "4", "0", "1", "12288", "1", "0", "0", "4", "1"])
    text = (
        f"sample\t9000\t{numbers}\nsample\t10000\t{numbers}\n"
        "left\t127.1.0.1\t30500\t40500\t1\njob\ta\t17000\t18000\t38250\t1500\n"
    )
    outcome = read_answer(text, {"127.1.0.1": 12})
    assert outcome.samples["ContainerPending"] == (4.0,)
    assert outcome.leaves == (Leave(asked=12, empty=20.5, left=30.5, forced=True),)
    assert outcome.jobs["a"] == JobTimes(submitted=7.0, started=8.0, ended=28.25, lost_seconds=1.5)


def a_slice(**changes):
    values = {"name": "s", "start_hour": 0.0, "hours": 0.5, "task_count": 3, "resizes": ((30, 1),)}
    return Slice(replays=(Replay(scheduler=Scheduler.CAPACITY),), **(values | changes))


def long_work():
    stages = (
        Stage(tasks=30, seconds=60, container_mib=2048),
        Stage(tasks=1, seconds=100, container_mib=2048, parents=(0,)),
    )
    return Workload(name="w", jobs=(Job(name="a", stages=stages),), seconds=60)


def test_a_recording_knows_jobs_values_and_when_nodes_were_asked_and_left():
    outcome, nodes = simulate(a_slice(), long_work())
    assert outcome.jobs["a"].response == 160
    assert outcome.samples["ContainerAllocated"][10] == 30
    assert sorted(leave.left - leave.asked for leave in outcome.leaves) == [30, 30]
    assert sorted(len(node.drains) for node in nodes.values()) == [0, 0, 0, 1, 1]


def test_like_hadoop_containers_are_held_longer_and_empty_nodes_stay_for_their_applications():
    outcome, _ = simulate(a_slice(like_hadoop=True), long_work())
    assert outcome.jobs["a"].response == 61 + 1 + 101
    assert [(leave.empty, leave.left) for leave in outcome.leaves] == [(61, 163), (61, 163)]


def test_a_recalled_node_is_not_counted_as_one_that_left():
    outcome, nodes = simulate(a_slice(resizes=((30, 1), (40, 3))), long_work())
    assert outcome.leaves == ()
    assert sorted(node.recalls for node in nodes.values()) == [(), (), (), (40,), (40,)]


def test_without_java_or_maven_the_check_is_skipped_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "mvn" else f"/bin/{tool}")
    assert command.main([]) == 0
    assert "skipped: mvn not found" in capsys.readouterr().out
