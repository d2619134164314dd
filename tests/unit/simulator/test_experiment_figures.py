import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.simulated import group_of

from emr_simulator.descriptions import GroupResize, GroupSpec
from emr_simulator.experiment import MetricsMode, Setup, run_experiment
from emr_simulator.figures import Figures
from emr_simulator.policies.static import StaticPolicy
from emr_simulator.words import Market, Role
from emr_simulator.workloads.model import Job, Stage, Workload
from emr_simulator.workloads.swim import read_swim
from emr_simulator.workloads.synthetic import synthetic_day

DATA = Path(os.environ.get("EMR_AUTOSCALER_DATA", "../shared/data"))
KEYS = {
    "policy", "trace", "seed", "jobs", "cost_usd", "floor_cost_usd", "node_hours", "spot_share", "bsld",
    "work_weighted_delay_seconds", "killed_container_seconds", "deadline_misses", "resize_requests",
    "nodes_started", "emr_calls", "elasticity", "queues",
}  # fmt: skip


def run(task_count, *jobs, **setup) -> Figures:
    workload = Workload(name="hand", jobs=jobs, seconds=3600)
    return run_experiment(policy=StaticPolicy(task_count), workload=workload, seed=1, setup=Setup(**setup))


def a_job(tasks, lasting, after=0, name="job"):
    return Job(name=name, stages=(Stage(tasks=tasks, seconds=lasting),), submit_after_seconds=after)


def test_a_job_that_never_waits_has_a_slowdown_of_one():
    figures = run(1, a_job(18, 100))
    assert figures.bsld == {"mean": 1.0, "p50": 1.0, "p95": 1.0, "p99": 1.0}
    assert figures.work_weighted_delay_seconds == 0


def test_figures_of_a_job_that_waits_for_half_of_its_tasks():
    figures = run(1, a_job(36, 100))
    assert figures.bsld["p99"] == 2.0
    assert figures.work_weighted_delay_seconds == 50.0


def test_short_jobs_are_measured_against_a_minute():
    assert run(0, a_job(24, 30)).bsld["mean"] == 1.0


def test_a_static_size_is_paid_from_the_first_to_the_last_second():
    figures = run(2, a_job(1, 1800, after=1800))
    assert figures.node_hours == 2.0
    assert float(figures.cost_usd) == pytest.approx(2 * 0.240)
    assert float(figures.floor_cost_usd) == pytest.approx(3 * 0.240)


def test_a_job_later_than_three_times_its_ideal_and_five_minutes_misses():
    punctual, late = run(0, a_job(12 * 6, 100)), run(0, a_job(12 * 7, 100))
    assert (punctual.deadline_misses, late.deadline_misses) == (0, 1)


def test_the_document_has_exactly_the_agreed_keys():
    document = run(1, a_job(1, 10)).to_json()
    assert set(document) == KEYS
    assert set(document["bsld"]) == {"mean", "p50", "p95", "p99"}
    assert document["policy"] == "static:1"


class GrowsOnce:
    """Asks for two spot nodes ten minutes after the cluster is up, and counts what it hears."""

    name = "grows-once"

    def __init__(self):
        self.heard = []
        self.due = None

    def prepare(self, setup):
        market, kind = Market.SPOT, setup.instance_type
        return (GroupSpec(role=Role.TASK, market=market, instance_type=kind, count=0),), {"policy": "x"}

    def start(self, world, cluster_id):
        self.cluster_id = cluster_id
        self.due = world.now + timedelta(minutes=30)

    def next_tick(self):
        return self.due

    def on_tick(self, world):
        group = group_of(world, self.cluster_id)
        world.emr.modify_instance_groups(self.cluster_id, [GroupResize(group_id=group.group_id, count=2)])
        self.due = None

    def on_events(self, world, events):
        self.heard += [event["detail"].get("state") for event in events]


def test_a_driver_hears_events_acts_on_time_and_is_counted():
    driver = GrowsOnce()
    workload = Workload(name="hand", jobs=(a_job(100, 600),), seconds=3600)
    figures = run_experiment(policy=driver, workload=workload, seed=1)
    assert "WAITING" in driver.heard
    assert "RESIZING" in driver.heard
    assert (figures.resize_requests, figures.nodes_started, figures.spot_share) == (1, 2, 1.0)
    assert figures.emr_calls == {"ModifyInstanceGroups": 1}
    assert 0 < float(figures.cost_usd) < 0.240 * figures.node_hours


def test_the_same_seed_gives_the_same_figures():
    day = synthetic_day(seed=1, start_hour=12.0, hours=2.0)
    first, second = (run_experiment(policy=StaticPolicy(5), workload=day, seed=2) for _ in range(2))
    assert first == second


def test_more_nodes_never_make_the_whole_wait_longer():
    day = synthetic_day(seed=1, start_hour=12.0, hours=4.0)
    delays = [
        run_experiment(policy=StaticPolicy(size), workload=day, seed=1).work_weighted_delay_seconds
        for size in (0, 5, 20)
    ]
    assert delays == sorted(delays, reverse=True)


@pytest.mark.parametrize("mode", list(MetricsMode))
def test_every_metrics_mode_runs(mode):
    assert run(1, a_job(1, 10), metrics=mode).jobs == 1


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="no real traces: set EMR_AUTOSCALER_DATA to their folder")
@pytest.mark.parametrize(
    ("size", "usd", "p95", "p99", "delay_seconds"),
    [(36, 207.5, 56.2, 69.9, 1064), (85, 489.9, 13.4, 26.7, 406)],
)
def test_static_sizes_come_out_as_the_reference_has_them(size, usd, p95, p99, delay_seconds):
    workload = read_swim(DATA / "traces" / "swim_fb-2009_0.tsv")
    figures = run_experiment(policy=StaticPolicy(size), workload=workload, seed=1)
    assert float(figures.cost_usd) == pytest.approx(usd, rel=0.01)
    assert figures.bsld["p50"] == 1.0
    assert figures.bsld["p95"] == pytest.approx(p95, rel=0.1)
    assert figures.bsld["p99"] == pytest.approx(p99, rel=0.1)
    assert figures.work_weighted_delay_seconds == pytest.approx(delay_seconds, rel=0.1)
