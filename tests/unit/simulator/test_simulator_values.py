import random
from datetime import datetime

import pytest

from emr_simulator.engine import Engine, to_seconds
from emr_simulator.policies.static import StaticPolicy
from emr_simulator.settings import LognormalDelay, SpotOutages, WorldSettings
from emr_simulator.workloads.model import Job, Stage


def test_times_without_a_zone_are_refused():
    with pytest.raises(ValueError, match="without a zone"):
        to_seconds(datetime(2026, 10, 5))  # noqa: DTZ001 - what is refused


def test_work_of_one_second_is_settled_once_after_everything_due_in_it():
    engine, order = Engine(0), []

    def settle():
        order.append("settled")

    for name in ("first", "second"):
        engine.at(5, lambda name=name: (order.append(name), engine.settle(settle)))
    engine.run_until(10, lambda: False)
    assert (order, engine.now) == (["first", "second", "settled"], 10)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"zones": ("eu-west-1a",)}, "zones"),
        ({"zones": ()}, "zones"),
        ({"metric_period_seconds": 10}, "metric_period_seconds"),
        ({"lost_metric_fraction": 1.5}, "lost_metric_fraction"),
        ({"lost_event_fraction": -0.1}, "lost_event_fraction"),
    ],
)
def test_settings_that_cannot_be_name_their_field(wrong, field):
    with pytest.raises(ValueError, match=field):
        WorldSettings(**wrong)


def quantile(draws, fraction):
    return sorted(draws)[round(fraction * (len(draws) - 1))]


def test_the_provisioning_delay_has_the_fitted_median_and_95th_percentile():

    chance = random.Random(1)
    draws = [LognormalDelay().draw(chance) for _ in range(4000)]
    assert quantile(draws, 0.5) == pytest.approx(330, rel=0.05)
    assert quantile(draws, 0.95) == pytest.approx(660, rel=0.07)


def test_outages_have_the_measured_median_and_mean():

    chance = random.Random(1)
    draws = [SpotOutages().draw_down(chance) for _ in range(8000)]
    assert quantile(draws, 0.5) == pytest.approx(480, rel=0.07)
    assert sum(draws) / len(draws) == pytest.approx(1350, rel=0.2)


@pytest.mark.parametrize("wrong", [{"tasks": 0}, {"seconds": 0}, {"container_mib": 0}])
def test_stages_that_cannot_run_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        Stage(**{"tasks": 1, "seconds": 1, **wrong})


def test_jobs_without_stages_or_with_stages_that_wait_for_later_ones_are_refused():
    with pytest.raises(ValueError, match="no stages"):
        Job(name="empty", stages=())
    with pytest.raises(ValueError, match="does not come before"):
        Job(name="circle", stages=(Stage(tasks=1, seconds=1, parents=(0,)),))


def test_a_static_policy_has_no_negative_size():
    with pytest.raises(ValueError, match="at least 0"):
        StaticPolicy(-1)
