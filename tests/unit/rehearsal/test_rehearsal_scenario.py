"""What is played: slices of work, clusters, policies that the layer accepts."""

import json
from datetime import timedelta

import pytest

from emr_autoscaler.domain.policy import Mode
from emr_autoscaler.messages.policy import parse_policy
from emr_simulator.errors import TraceError
from emr_simulator.rehearsal.scenario import (
    BUSY,
    FOREIGN,
    FORGOTTEN,
    SCALED,
    busiest_hour,
    cut,
    squeeze,
    synthetic_scenario,
    trace_scenario,
)
from emr_simulator.workloads.model import Job, Stage, Workload


def work(*submitted):
    jobs = tuple(
        Job(name=f"job-{number}", stages=(Stage(tasks=tasks, seconds=100),), submit_after_seconds=at)
        for number, (at, tasks) in enumerate(submitted)
    )
    return Workload(name="work", jobs=jobs, seconds=3 * 3600)


def test_squeezing_keeps_every_job():
    squeezed = squeeze(work((0, 1), (7200, 1)), 0.25)
    assert [job.submit_after_seconds for job in squeezed.jobs] == [0, 1800]


def test_a_slice_counts_from_its_beginning():
    part = cut(work((0, 1), (3700, 2), (7200, 3)), 1, 1.0)
    assert [(job.submit_after_seconds, job.stages[0].tasks) for job in part.jobs] == [(100, 2)]


def test_the_busiest_bearable_hour_is_chosen():
    assert busiest_hour(work((0, 1), (3700, 500), (7200, 30)), hours=1, most_work_seconds=10_000) == 2


def test_where_no_hour_is_bearable_the_lightest_is_chosen():
    assert busiest_hour(work((0, 70), (3700, 50), (7200, 60)), hours=1, most_work_seconds=10) == 1


@pytest.mark.parametrize("hours", [3, 6, 24])
def test_a_day_keeps_its_jobs_within_its_hours(hours):
    scenario = synthetic_scenario(hours=hours, seed=1)
    (member,) = [member for member in scenario.cast if member.name == SCALED]
    assert member.workload is not None
    assert max(job.submit_after_seconds for job in member.workload.jobs) < hours * 3600
    assert scenario.end - scenario.start == timedelta(hours=hours)


def test_the_cast_has_one_of_each():
    names = [member.name for member in synthetic_scenario(hours=6, seed=1).cast]
    assert names == [SCALED, FORGOTTEN, BUSY, FOREIGN]


def test_only_the_foreign_cluster_is_not_opted_in():
    cast = synthetic_scenario(hours=6, seed=1).cast
    assert [m.name for m in cast if "emr-autoscaler:policy" not in m.spec.tags] == [FOREIGN]


def test_every_policy_is_valid_live_and_named_by_a_cluster():
    scenario = synthetic_scenario(hours=6, seed=1)
    for name, document in scenario.policies.items():
        assert parse_policy(name, json.dumps(document)).mode is Mode.LIVE
    named = {tag for member in scenario.cast if (tag := member.spec.tags.get("emr-autoscaler:policy"))}
    assert named == set(scenario.policies)


def test_the_same_seed_gives_the_same_day():
    assert synthetic_scenario(hours=6, seed=3).cast == synthetic_scenario(hours=6, seed=3).cast


def test_a_trace_is_played_with_time_to_settle(tmp_path):
    trace = tmp_path / "trace.tsv"
    trace.write_text("job0\t0\t0\t1000\t0\t0\njob1\t600\t600\t1000\t0\t0\n")
    scenario = trace_scenario(trace, hours=1.0, seed=1)
    assert scenario.run_hours == 2
    assert "1 h of trace.tsv from hour 0 on, 2 jobs" in scenario.title


def test_a_bad_line_is_named(tmp_path):
    trace = tmp_path / "trace.tsv"
    trace.write_text("job0\t0\t0\t1000\t0\t0\njob1\tsoon\t600\t1000\t0\t0\n")
    with pytest.raises(TraceError, match=r"trace\.tsv:2: submit time"):
        trace_scenario(trace, hours=1.0, seed=1)
