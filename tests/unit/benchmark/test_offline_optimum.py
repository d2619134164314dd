"""The linear program by hand, against its reference values, and as a judge of policies."""

import math
import os
from pathlib import Path

import pytest
from tests.support.simulated import a_job

from emr_simulator.applications import NodeManager
from emr_simulator.benchmark.cells import Cell, Variant, mean_boot_seconds, play
from emr_simulator.benchmark.frontier import DEADLINES_MINUTES, frontier_of
from emr_simulator.descriptions import GroupResize
from emr_simulator.experiment import Setup, run_experiment
from emr_simulator.optimum import NoOptimumError, optimum_of
from emr_simulator.policies.managed_scaling import ManagedScaling
from emr_simulator.policies.task_group import TaskGroupPolicy
from emr_simulator.words import InstanceState, Role
from emr_simulator.workloads.model import Job, Stage, Workload
from emr_simulator.workloads.swim import read_swim
from emr_simulator.workloads.synthetic import synthetic_day

DATA = Path(os.environ.get("EMR_AUTOSCALER_DATA", "../shared/data"))
USD = 0.24
SETUP = Setup(maximum_task_count=30)
REAL_POLICIES = (
    "static:10", "emr-default-rules", "managed-scaling", "managed-scaling:300", "dataproc:0.05", "dataproc:1",
    "twenty-percent", "step-rules", "drain-time:240,180", "emr-autoscaler", "clairvoyant:600",
)  # fmt: skip


def program(*jobs, free_nodes=0, most_nodes=math.inf, boot_minutes=2.0, **options):
    work = Workload(name="hand", jobs=jobs, seconds=3600)
    return optimum_of(
        work, Setup(), usd_per_node_hour=USD, free_nodes=free_nodes, most_nodes=most_nodes,
        boot_minutes=boot_minutes, **options,
    )  # fmt: skip


def test_the_floor_is_the_work_on_nodes_that_are_always_full():
    assert program(a_job(60, 600)).work_floor_node_hours == pytest.approx(60 * 600 / 6 / 3600)


def test_work_that_may_not_wait_needs_all_its_nodes_at_once():
    plan = program(a_job(60, 600)).within_deadline(0)
    # ten nodes were there at the start, and stay for ten minutes
    assert max(plan.nodes) == pytest.approx(10)
    assert plan.node_hours == pytest.approx(10 * 600 / 3600, rel=0.01)
    assert plan.delay_seconds == pytest.approx(-30, abs=30)


def test_a_start_costs_the_minutes_of_its_boot():
    later = a_job(60, 600, submit_after_seconds=3600)
    cheap, dear = program(later, boot_minutes=0.0), program(later, boot_minutes=6.0)
    # nodes may stand ready from the start as well, but an hour of idling is dearer than a boot
    extra = dear.within_deadline(0).node_hours - cheap.within_deadline(0).node_hours
    assert extra == pytest.approx(10 * 6 / 60, rel=0.01)


def test_free_nodes_do_the_work_that_may_wait():
    assert program(a_job(12, 600), free_nodes=2).within_deadline(0).cost_usd == pytest.approx(0, abs=1e-6)


def test_a_stage_is_demanded_when_its_parents_could_have_ended():
    job = Job(name="chain", stages=(Stage(tasks=6, seconds=60), Stage(tasks=6, seconds=60, parents=(0,))))
    demand = program(job).demand
    assert list(demand[:3]) == [360, 720, 720]


def test_too_few_nodes_for_a_deadline_are_no_plan():
    with pytest.raises(NoOptimumError):
        program(a_job(600, 600), most_nodes=5).within_deadline(5)


def test_longer_deadlines_and_longer_delays_never_cost_more():
    day = synthetic_day(seed=1, start_hour=12.0, hours=3.0)
    lp = optimum_of(day, SETUP, usd_per_node_hour=USD, most_nodes=math.inf)
    by_deadline = [lp.within_deadline(minutes).cost_usd for minutes in (5, 15, 60)]
    by_delay = [lp.at_delay(seconds).cost_usd for seconds in (120, 300, 900)]
    assert by_deadline == sorted(by_deadline, reverse=True)
    assert by_delay == sorted(by_delay, reverse=True)


def test_a_price_of_waiting_and_a_bound_on_it_give_the_same_frontier():
    day = synthetic_day(seed=1, start_hour=12.0, hours=3.0)
    lp = optimum_of(day, SETUP, usd_per_node_hour=USD)
    priced = lp.at_price(0.05)
    assert lp.at_delay(priced.delay_seconds).cost_usd == pytest.approx(priced.cost_usd, rel=1e-4)


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="no real traces: set EMR_AUTOSCALER_DATA to their folder")
@pytest.mark.parametrize(
    ("minutes", "of_the_floor"), [(60, 309.8 / 304.2), (15, 319.9 / 304.2), (5, 345.7 / 304.2)]
)
def test_the_optimum_of_a_facebook_day_stands_to_its_floor_as_that_of_the_reference(minutes, of_the_floor):
    # The reference solved another day of the same cluster, so the ratios are compared.
    work = read_swim(DATA / "traces" / "swim_fb-2009_0.tsv")
    lp = optimum_of(work, Setup(), usd_per_node_hour=USD, free_nodes=0, most_nodes=math.inf)
    ratio = lp.within_deadline(minutes).node_hours / lp.work_floor_node_hours
    assert ratio == pytest.approx(of_the_floor, rel=0.05)


# ---------------------------------------------------------------------- as a judge

DAY = synthetic_day(seed=3, start_hour=11.0, hours=2.0)
BOUNDED = optimum_of(DAY, SETUP, usd_per_node_hour=USD)
UNBOUNDED = optimum_of(DAY, SETUP, usd_per_node_hour=USD, most_nodes=math.inf)


@pytest.fixture(scope="module")
def frontier():
    return frontier_of(BOUNDED, UNBOUNDED)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("policy", REAL_POLICIES)
def test_no_policy_is_cheaper_than_the_optimum_at_its_delay(frontier, policy, seed):
    run = play(Cell(variant=Variant(policy=policy), trace=Path("day"), seed=seed), DAY, SETUP)
    cost, delay = run["figures"]["cost_usd"], run["figures"]["work_weighted_delay_seconds"]
    assert cost > frontier.least_cost_usd(delay)
    assert not frontier.is_impossible(
        cost_usd=cost,
        delay_seconds=delay,
        wait_within_minutes=run["wait_within_minutes"],
        boot_seconds=run["boot_seconds"],
    )
    for minutes in DEADLINES_MINUTES:
        if run["wait_within_minutes"] <= minutes:
            assert cost > frontier.deadlines[minutes]


def test_the_tangents_of_the_frontier_lie_below_the_program(frontier):
    for delay in (150, 260, 410, 999):
        exact = BOUNDED.at_delay(delay).cost_usd
        assert exact * 0.97 <= frontier.least_cost_usd(delay) <= exact * (1 + 1e-6)


class FreeCapacity(ManagedScaling):
    """A cheat: hands YARN memory that no node stands for, at once and for nothing."""

    def look(self, world):
        wanted = super().look(world)
        yarn = self.yarn(world)
        for _ in range(wanted - self.ordered):
            yarn.add(NodeManager(self.mib_per_node(world), lambda: None))
        self.ordered = max(self.ordered, wanted)


class OnCoreNodes(TaskGroupPolicy):
    """A cheat: grows the core group, whose nodes count as the floor that every policy has."""

    def look(self, world):
        cluster = world.inside(self._cluster_id)
        core = next(group for group in cluster.groups.values() if group.spec.role is Role.CORE)
        if core.requested == 2:
            order = GroupResize(group_id=core.group_id, count=20)
            world.emr.modify_instance_groups(self._cluster_id, [order])

    @property
    def name(self):
        return "on-core-nodes"


@pytest.mark.parametrize("cheat", [FreeCapacity, OnCoreNodes])
def test_a_cheat_is_caught_below_the_optimum(frontier, cheat):
    figures = run_experiment(policy=cheat(), workload=DAY, seed=1, setup=SETUP)
    cost, delay = float(figures.cost_usd), figures.work_weighted_delay_seconds
    assert frontier.is_passed_by(cost_usd=cost, delay_seconds=delay)


class InstantNodes(ManagedScaling):
    """A cheat: pays for its nodes, but has them the second they are launched."""

    def look(self, world):
        self.world = world
        group = self._group(world)
        for node in list(group.nodes):
            if node.state is InstanceState.BOOTSTRAPPING:
                world._resizer._become_ready(node)
        return super().look(world)


def test_a_cheat_that_pays_and_skips_the_provisioning_delay_is_caught_by_what_its_nodes_paid_before_use(frontier):
    cheat = InstantNodes()
    figures = run_experiment(policy=cheat, workload=DAY, seed=1, setup=SETUP)
    boot_seconds = mean_boot_seconds(cheat.world.inside(cheat._cluster_id))
    judged = {
        "cost_usd": float(figures.cost_usd),
        "delay_seconds": figures.work_weighted_delay_seconds,
        "wait_within_minutes": 10_000,
    }
    assert frontier.is_impossible(**judged, boot_seconds=boot_seconds)
    assert not frontier.is_impossible(**judged, boot_seconds=300.0)


# ---------------------------------------------------------------------- on the Facebook day


@pytest.fixture(scope="module")
def facebook():
    """The day, and the program of the reference set-up with and without a most of nodes."""
    if not DATA.exists():
        pytest.skip("no real traces: set EMR_AUTOSCALER_DATA to their folder")
    work = read_swim(DATA / "traces" / "swim_fb-2009_0.tsv")
    bounded = optimum_of(work, Setup(), usd_per_node_hour=USD)
    unbounded = optimum_of(work, Setup(), usd_per_node_hour=USD, most_nodes=math.inf)
    return work, bounded, {minutes: unbounded.within_deadline(minutes).cost_usd for minutes in DEADLINES_MINUTES}


@pytest.mark.data
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("policy", ["drain-time:480,60", "emr-autoscaler:cost"])
def test_no_run_of_the_facebook_day_is_cheaper_than_the_optimum(facebook, policy, seed):
    work, program, deadlines = facebook
    run = play(Cell(variant=Variant(policy=policy), trace=Path("day"), seed=seed), work, Setup())
    cost, delay = run["figures"]["cost_usd"], run["figures"]["work_weighted_delay_seconds"]
    assert cost > program.at_delay(delay).cost_usd
    for minutes, least in deadlines.items():
        assert run["wait_within_minutes"] > minutes or cost > least
    assert run["boot_seconds"] > program.boot_minutes * 60
