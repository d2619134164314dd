"""The knob between cost and waiting: three named points, and the curve through them."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from emr_autoscaler.domain.policy import Objective, TaskPolicy
from emr_autoscaler.domain.tuning import OBJECTIVES, tuning_of


@pytest.mark.parametrize("objective", list(Objective))
def test_an_objective_and_its_drain_time_are_the_same_point(objective: Objective) -> None:
    named = tuning_of(TaskPolicy(objective=objective))
    assert named == OBJECTIVES[objective]
    in_time = tuning_of(TaskPolicy(drain_within=named.drain_within))
    assert in_time == replace(named, drain_lengths=0.0), "a time is kept to, however long containers run"


def test_the_objectives_fall_from_ready_to_patient_for_long_containers_too() -> None:
    lengths = [OBJECTIVES[o].drain_lengths for o in (Objective.SPEED, Objective.BALANCED, Objective.COST)]
    assert lengths == sorted(lengths)


def test_between_two_objectives_the_hold_and_the_usual_share_are_between_theirs() -> None:
    halfway = tuning_of(TaskPolicy(drain_within=timedelta(seconds=145)))
    assert halfway.hold == timedelta(minutes=2)
    assert halfway.usual_share == pytest.approx(0.6)


def test_beyond_the_objectives_only_the_drain_time_changes() -> None:
    slow, fast = (tuning_of(TaskPolicy(drain_within=timedelta(seconds=seconds))) for seconds in (3600, 30))
    assert (slow.drain_within, slow.hold, slow.usual_share) == (timedelta(hours=1), timedelta(0), 0.0)
    assert (fast.drain_within, fast.hold, fast.usual_share) == (timedelta(seconds=30), timedelta(minutes=4), 0.8)


def test_the_curve_falls_from_ready_to_patient() -> None:
    curve = [tuning_of(TaskPolicy(drain_within=timedelta(seconds=seconds))) for seconds in range(30, 1200, 10)]
    for faster, slower in pairwise(curve):
        assert faster.hold >= slower.hold
        assert faster.usual_share >= slower.usual_share


def test_no_time_to_drain_is_no_policy() -> None:
    with pytest.raises(ValueError, match="drain_within must be above zero"):
        TaskPolicy(drain_within=timedelta(0))
