"""What this system costs at another policy's p95: interpolated on its own curve, with a paired interval."""

import math

import pytest

from emr_simulator.benchmark.cells import Variant
from emr_simulator.benchmark.equal_p95 import Curve, Setting, at_equal_p95

QUICK_AND_CHEAP = ((100.0, 10.0), (50.0, 20.0))


def a_setting(label, costs, p95s):
    return Setting(variant=Variant.from_label(label), costs_usd=costs, p95s=p95s)


def own(cost, p95, label="emr-autoscaler"):
    return a_setting(label, [cost] * 3, [p95] * 3)


def test_a_setting_of_ones_own_costs_what_it_costs():
    curve = Curve(QUICK_AND_CHEAP)
    assert curve.cost_usd(10.0) == pytest.approx(100)
    assert curve.cost_usd(20.0) == pytest.approx(50)


def test_between_two_settings_cost_and_p95_are_interpolated_on_their_logarithms():
    assert Curve(QUICK_AND_CHEAP).cost_usd(math.sqrt(200)) == pytest.approx(math.sqrt(5000))


def test_a_setting_that_another_beats_in_both_is_not_on_the_curve():
    beaten = (120.0, 15.0)
    assert Curve((*QUICK_AND_CHEAP, beaten)).cost_usd(15.0) < 100


def test_where_no_setting_is_as_slow_the_cheapest_counts_as_it_stands():
    assert Curve(QUICK_AND_CHEAP).cost_usd(60.0) == pytest.approx(50)


def test_where_no_setting_is_as_quick_there_is_no_ratio():
    (row,) = at_equal_p95([own(100, 10), a_setting("dataproc:1", [200] * 3, [5] * 3)])
    assert row["own"]["5min"] == {"cost_usd": None, "ratio": None, "goal": None, "met": False}


def test_each_way_to_be_told_is_compared_with_each_other_policy_and_its_goal():
    settings = [
        own(100, 10),
        own(40, 10, "emr-autoscaler@push"),
        own(20, 20, "emr-autoscaler:cost@push"),
        a_setting("dataproc:1", [100] * 3, [10] * 3),
        a_setting("static:3", [900], [1]),
        a_setting("clairvoyant:600", [1] * 3, [1] * 3),
    ]
    (row,) = at_equal_p95(settings)
    assert (row["policy"], row["cost_usd"], row["bsld_p95"]) == ("dataproc:1", 100, 10)
    pushed, sampled = row["own"]["push"], row["own"]["5min"]
    assert pushed["ratio"] == {"value": 0.4, "low": 0.4, "high": 0.4}
    assert (pushed["goal"], pushed["met"]) == (0.7, True)
    assert (sampled["goal"], sampled["met"]) == (None, False)


def test_the_interval_pairs_the_seeds():
    """Seeds that are dear for both leave the ratio as it is."""
    costs = [80.0, 100.0, 130.0, 90.0]
    settings = [
        a_setting("emr-autoscaler", costs, [10] * 4),
        a_setting("dataproc:1", [2 * cost for cost in costs], [10] * 4),
    ]
    (row,) = at_equal_p95(settings)
    assert row["own"]["5min"]["ratio"] == {"value": 0.5, "low": 0.5, "high": 0.5}


def test_a_day_on_which_nothing_is_bought_can_be_compared():
    (row,) = at_equal_p95([own(0, 1), a_setting("step-rules", [0] * 3, [1] * 3)])
    assert row["own"]["5min"]["ratio"]["value"] == 1
