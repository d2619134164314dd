"""What each compared policy orders in small worlds that a reader can follow by hand."""

import itertools
import math
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.simulated import a_job, group_of, seconds

from emr_simulator.descriptions import ClusterSpec, GroupSpec
from emr_simulator.experiment import Setup, reference_settings, run_experiment
from emr_simulator.inprocess.autoscaler import AutoscalerPolicy
from emr_simulator.policies.clairvoyant import Clairvoyant
from emr_simulator.policies.dataproc import Dataproc
from emr_simulator.policies.drain_time import DrainTime
from emr_simulator.policies.emr_default_rules import EmrDefaultRules
from emr_simulator.policies.managed_scaling import ManagedScaling
from emr_simulator.policies.registry import FAMILIES, UnknownPolicyError, policy_of
from emr_simulator.policies.static import StaticPolicy
from emr_simulator.policies.step_rules import StepRules
from emr_simulator.policies.twenty_percent import TwentyPercent
from emr_simulator.words import Market, Role
from emr_simulator.workloads.model import Workload
from emr_simulator.workloads.synthetic import synthetic_day
from emr_simulator.world import World

MONDAY = datetime(2026, 10, 5, 12, tzinfo=UTC)
SATURDAY = datetime(2026, 10, 10, 12, tzinfo=UTC)
NO_WORK = Workload(name="none", jobs=(), seconds=0)


class Stage:
    """One policy on one cluster, with orders noted."""

    def __init__(self, policy, *, start=MONDAY, **setup):
        self.policy = policy
        setup = Setup(**setup)
        self.world = World(seed=1, start=start, settings=reference_settings(setup.metrics))
        groups, tags = policy.prepare(setup)
        kind = setup.instance_type
        always = (
            GroupSpec(role=Role.MASTER, market=Market.ON_DEMAND, instance_type=kind, count=1),
            GroupSpec(role=Role.CORE, market=Market.ON_DEMAND, instance_type=kind, count=setup.core_count),
        )
        self.cluster_id = self.world.emr.run_job_flow(ClusterSpec(name="t", groups=(*always, *groups), tags=tags))
        policy.start(self.world, self.cluster_id)
        self.orders = []

    @property
    def count(self):
        return group_of(self.world, self.cluster_id).requested

    def submit(self, tasks, lasting):
        self.world.submit_job(self.cluster_id, a_job(tasks, lasting))

    def play(self, minutes):
        until = self.world.now + timedelta(minutes=minutes)
        while self.world.now < until:
            before = self.count
            self.world.run_until(min(until, self.policy.next_tick()))
            if self.world.now >= self.policy.next_tick():
                self.policy.on_tick(self.world)
            if self.count != before:
                self.orders.append((self.world.now, self.count - before))
        return self


def test_default_rules_add_one_node_every_five_minutes_while_containers_wait():
    stage = Stage(EmrDefaultRules()).play(30)
    stage.submit(600, 3600)
    stage.play(60)
    steps = [step for _at, step in stage.orders]
    gaps = [later - earlier for (earlier, _), (later, _) in zip(stage.orders, stage.orders[1:], strict=False)]
    assert set(steps) == {1}
    assert min(gaps) >= seconds(300)


def test_managed_scaling_orders_what_holds_all_memory_at_once():
    stage = Stage(ManagedScaling()).play(30)
    stage.submit(60, 600)
    stage.play(1)
    assert [step for _at, step in stage.orders] == [60 // 6 - 2]


def test_managed_scaling_with_a_hold_keeps_nodes_for_so_long():
    plain, held = Stage(ManagedScaling()).play(30), Stage(ManagedScaling(300)).play(30)
    for stage in (plain, held):
        stage.submit(60, 60)
        stage.play(20)
    (_, _), (plain_in, _) = plain.orders[0], plain.orders[-1]
    assert held.orders[-1][0] - plain_in >= seconds(280)


def test_dataproc_orders_the_share_of_the_lack_that_its_factor_says():
    stage = Stage(Dataproc(0.05)).play(30)
    stage.submit(600, 6000)
    stage.play(40)
    (_, first), (_, second) = stage.orders[:2]  # the first window saw the work for a part of its time only
    assert 1 <= first <= 5
    assert second == 5  # ceil(0.05 x (100 - 2 - first))


def test_dataproc_waits_for_the_end_of_an_update_before_the_next():
    stage = Stage(Dataproc(0.05)).play(30)
    stage.submit(600, 6000)
    stage.play(60)
    gaps = [later - earlier for (earlier, _), (later, _) in zip(stage.orders, stage.orders[1:], strict=False)]
    assert min(gaps) > timedelta(minutes=2)


def test_twenty_percent_adds_a_fifth_and_keeps_it_in_office_hours():
    stage = Stage(TwentyPercent()).play(30)
    stage.submit(300, 600)
    stage.play(240)
    assert stage.orders
    assert all(step > 0 for _at, step in stage.orders)


def test_twenty_percent_gives_a_fifth_back_on_saturdays():
    stage = Stage(TwentyPercent(), start=SATURDAY).play(30)
    stage.submit(300, 600)
    stage.play(300)
    assert stage.count == 0
    assert stage.orders[-1][1] == -1


def test_twenty_percent_refuses_a_step_past_its_bound_instead_of_clamping():
    stage = Stage(TwentyPercent(), maximum_task_count=11).play(30)
    stage.submit(3000, 6000)
    stage.play(300)
    assert stage.count == 10  # with 2 core nodes 2 3 4 5 6 8 10 12 -> 15 is past 13


def test_step_rules_go_three_out_and_one_in():
    stage = Stage(StepRules()).play(30)
    stage.submit(120, 600)
    stage.play(120)
    assert {step for _at, step in stage.orders} == {3, -1}


def test_drain_time_orders_what_drains_the_work_within_tau():
    stage = Stage(DrainTime(240, 180)).play(30)
    stage.submit(492, 600)
    stage.play(1)
    # 12 of 492 run at once: (6 + 480) containers x 30 s / (6 a node x 240 s) = 10.1 nodes, 2 of them core
    assert stage.orders[0][1] == 9


def test_drain_time_scales_in_two_minutes_after_its_last_order_at_the_earliest():
    stage = Stage(DrainTime(60, 60)).play(30)
    stage.submit(600, 30)
    stage.play(60)
    falls = [at for at, step in stage.orders if step < 0]
    assert stage.count == 0
    assert all(later - earlier >= seconds(120) for earlier, later in itertools.pairwise(falls))


def test_drain_time_gives_at_most_a_third_of_its_nodes_back_at_a_time():
    stage = Stage(DrainTime(60, 60)).play(30)
    stage.submit(600, 30)
    stage.play(60)
    standing, falls = 0, []
    for _at, step in stage.orders:
        if step < 0:
            falls.append(-step)
            assert -step <= math.ceil(standing / 3)
        standing += step
    assert max(falls) > 1
    assert falls[-1] == 1


def test_a_clairvoyant_waits_less_than_one_that_reacts():
    jobs = (a_job(2, 10, name="a"), a_job(600, 600, name="b", submit_after_seconds=3600))
    work = Workload(name="w", jobs=jobs, seconds=3601)
    knowing = run_experiment(policy=Clairvoyant(work, 60), workload=work, seed=1)
    reacting = run_experiment(policy=ManagedScaling(), workload=work, seed=1)
    assert knowing.work_weighted_delay_seconds < reacting.work_weighted_delay_seconds / 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("static:36", StaticPolicy),
        ("emr-default-rules", EmrDefaultRules),
        ("managed-scaling", ManagedScaling),
        ("managed-scaling:300", ManagedScaling),
        ("dataproc:0.05", Dataproc),
        ("dataproc:1,0.5", Dataproc),
        ("twenty-percent", TwentyPercent),
        ("step-rules", StepRules),
        ("drain-time:240,180", DrainTime),
        ("clairvoyant:600", Clairvoyant),
        ("emr-autoscaler", AutoscalerPolicy),
        ("emr-autoscaler:cost", AutoscalerPolicy),
        ("emr-autoscaler:1200", AutoscalerPolicy),
    ],
)
def test_a_policy_is_found_by_the_name_it_gives_itself(name, kind):
    policy = policy_of(name, NO_WORK)
    assert isinstance(policy, kind)
    assert policy.name == name


@pytest.mark.parametrize(
    "name",
    ["", "static", "static:x", "static:-1", "drain-time:0,60", "drain-time:60", "dataproc:2", "nothing",
     "emr-autoscaler:cheap", "emr-autoscaler:0", "twenty-percent:3", "best-static", "managed-scaling:"],
)  # fmt: skip
def test_an_unknown_policy_is_named_with_what_is_known(name):
    with pytest.raises(UnknownPolicyError, match="drain-time"):
        policy_of(name, NO_WORK)


@pytest.mark.parametrize("family", [f.name for f in FAMILIES if not f.needs_knobs])
def test_every_policy_finishes_the_work_within_its_bounds(family):
    day = synthetic_day(seed=1, start_hour=13.0, hours=1.0)
    setup = Setup(maximum_task_count=8)
    figures = run_experiment(policy=policy_of(family, day), workload=day, seed=1, setup=setup)
    assert figures.jobs == len(day.jobs)
    assert figures.killed_container_seconds == 0
    assert figures.bsld["p50"] >= 1.0
