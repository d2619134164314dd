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


@pytest.mark.parametrize("objective", list(Objective))
def test_short_containers_get_what_the_objective_says(objective: Objective) -> None:
    assert OBJECTIVES[objective].suited_to(30, known=1.0) == OBJECTIVES[objective]


@pytest.mark.parametrize("objective", list(Objective))
def test_the_longer_containers_are_the_more_time_is_allowed_and_less_stands_ready(
    objective: Objective,
) -> None:
    suited = [OBJECTIVES[objective].suited_to(seconds, known=1.0) for seconds in range(0, 7200, 60)]
    for shorter, longer in pairwise(suited):
        assert shorter.drain_within <= longer.drain_within
        assert shorter.hold >= longer.hold
        assert shorter.usual_share >= longer.usual_share
        assert shorter.surplus_waits >= longer.surplus_waits > timedelta(0)


def test_a_length_that_is_not_known_changes_nothing() -> None:
    assert OBJECTIVES[Objective.SPEED].suited_to(7200, known=0.0) == OBJECTIVES[Objective.SPEED]


def test_containers_of_eleven_minutes_are_worth_half_the_readiness() -> None:
    suited = OBJECTIVES[Objective.SPEED].suited_to(660, known=1.0)
    assert (suited.drain_within, suited.hold) == (timedelta(seconds=330), timedelta(minutes=2))
    assert suited.usual_share == pytest.approx(0.2)
    assert suited.surplus_waits == timedelta(minutes=5)


def test_between_two_objectives_the_hold_and_the_usual_share_are_between_theirs() -> None:
    fast, slow = (tuning_of(TaskPolicy(drain_within=timedelta(seconds=seconds))) for seconds in (145, 375))
    assert fast.hold == timedelta(minutes=2)
    assert slow.usual_share == pytest.approx(0.2)


def test_beyond_the_objectives_only_the_drain_time_changes() -> None:
    slow, fast = (tuning_of(TaskPolicy(drain_within=timedelta(seconds=seconds))) for seconds in (3600, 30))
    assert (slow.drain_within, slow.hold, slow.usual_share) == (timedelta(hours=1), timedelta(0), 0.0)
    assert (fast.drain_within, fast.hold, fast.usual_share) == (timedelta(seconds=30), timedelta(minutes=4), 0.4)


def test_the_curve_falls_from_ready_to_patient() -> None:
    curve = [tuning_of(TaskPolicy(drain_within=timedelta(seconds=seconds))) for seconds in range(30, 1200, 10)]
    for faster, slower in pairwise(curve):
        assert faster.hold >= slower.hold
        assert faster.usual_share >= slower.usual_share


def test_no_time_to_drain_is_no_policy() -> None:
    with pytest.raises(ValueError, match="drain_within must be above zero"):
        TaskPolicy(drain_within=timedelta(0))
