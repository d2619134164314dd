"""The elasticity figures by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr_simulator.elasticity import demand_curve, elasticity_of, supply_curve
from emr_simulator.experiment import Setup, run_experiment
from emr_simulator.policies.static import StaticPolicy
from emr_simulator.workloads.model import Job, Stage, Workload


def test_a_supply_that_follows_exactly_has_no_faults():
    same = elasticity_of([2, 4, 3, 3], [2, 4, 3, 3])
    assert set(same.to_json().values()) == {0.0}


def test_figures_by_hand():
    found = elasticity_of([2, 4, 4, 2, 2], [2, 2, 4, 4, 3])
    # missing: 2 of 4 once; surplus: 2 of 2, then 1 of 2
    assert found.theta_u == pytest.approx((2 / 4) / 5)
    assert found.theta_o == pytest.approx((2 / 2 + 1 / 2) / 5)
    assert (found.tau_u, found.tau_o) == (1 / 5, 2 / 5)
    # demand: up, same, down, same; supply: same, up, same, down
    assert found.instability == 1.0


def test_moving_in_the_same_direction_is_stable_however_far():
    assert elasticity_of([1, 2, 3, 2], [1, 9, 10, 1]).instability == 0.0


def test_nothing_to_compare_has_no_faults():
    assert elasticity_of([], []).tau_u == 0.0
    assert elasticity_of([1], [1]).instability == 0.0


def test_demand_is_whole_nodes_at_each_minute_without_waiting_and_within_bounds():
    stages = (Stage(tasks=13, seconds=90), Stage(tasks=600, seconds=60, parents=(0,)))
    work = Workload(name="hand", jobs=(Job(name="a", stages=stages, submit_after_seconds=30),), seconds=300)
    # 30-120 s: 13 containers, 3 nodes; 120-180 s: 600 containers, 100 nodes
    assert demand_curve(work, seconds=300, containers_per_node=6, least=2, most=50) == [2, 3, 50, 2, 2]


def test_supply_is_nodes_in_service_at_each_minute():
    assert supply_curve([(-500, None), (60, 120), (61, 240)], seconds=300) == [1, 2, 2, 2, 1]


def test_a_cluster_of_fixed_size_is_measured_against_its_own_bounds():
    work = Workload(name="hand", jobs=(Job(name="a", stages=(Stage(tasks=24, seconds=600),)),), seconds=600)
    figures = run_experiment(policy=StaticPolicy(1), workload=work, seed=1, setup=Setup(maximum_task_count=10))
    # 4 nodes wanted for 10 min, then 2; 3 there (2 core), so the last 6 of 24 tasks run for 10 more
    assert figures.elasticity.tau_u == pytest.approx(10 / 20)
    assert figures.elasticity.theta_u == pytest.approx((1 / 4) / 2)
    assert figures.elasticity.theta_o == pytest.approx((1 / 2) / 2)


CURVES = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=60)


@given(CURVES)
def test_shares_are_shares_and_never_both_at_once(points):
    demand, supply = zip(*points, strict=True)
    found = elasticity_of(demand, supply)
    assert 0 <= found.theta_u <= found.tau_u <= 1
    assert found.tau_u + found.tau_o <= 1
    assert 0 <= found.instability <= 1
    assert (found.theta_o > 0) == (found.tau_o > 0)
