"""What is learned of a cluster's load: its mean, the length of its containers, its hours of the week."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emr_autoscaler.domain.demand import Demand
from emr_autoscaler.domain.load import Load, learn_load
from emr_autoscaler.domain.policy import Objective, TaskPolicy
from emr_autoscaler.domain.want import find_want
from emr_autoscaler.domain.week_profile import WeekProfile

MONDAY_NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)


def sample(
    minute: float,
    *,
    mib: float = 10_000.0,
    containers: float = 10.0,
    pending: float = 0.0,
    completed: float | None = None,
    submitted: float | None = None,
    applications: float | None = None,
) -> Demand:
    return Demand(
        at=MONDAY_NOON + timedelta(minutes=minute),
        allocated_mib=mib,
        pending_mib=pending * 1000.0,
        pending_containers=pending,
        total_mib=50_000.0,
        container_mib=1000.0,
        containers=containers,
        completed=completed,
        submitted=submitted,
        applications=applications,
    )


def backlog(*pending: float, submitted: float | None = 3.0) -> Load:
    """Ten containers run at each sample, five minutes apart, and so many wait."""
    return learned(*(sample(5 * n, pending=left, submitted=submitted) for n, left in enumerate(pending)))


def learned(*samples: Demand, load: Load | None = None) -> Load:
    load = load or Load()
    for demand in samples:
        load = learn_load(load, demand, expected_seconds=30)
    return load


def test_the_usual_load_follows_what_is_in_use_within_hours() -> None:
    load = learned(*(sample(minute) for minute in range(0, 601, 5)))
    assert load.mean_mib == pytest.approx(10_000, rel=0.001)
    an_hour_idle = learned(*(sample(600 + minute, mib=0) for minute in range(5, 61, 5)), load=load)
    assert an_hour_idle.mean_mib == pytest.approx(10_000 / 2.718, rel=0.01)


def test_a_sample_that_is_not_newer_teaches_nothing() -> None:
    load = learned(sample(0), sample(5))
    assert learned(sample(5, mib=40_000), load=load) == load
    assert learned(sample(-60, mib=40_000), load=load) == load


def test_without_a_probe_a_container_runs_as_long_as_the_policy_expects() -> None:
    assert learned(*(sample(minute) for minute in range(60))).task_seconds(30) == 30


def test_a_probe_shows_how_long_containers_run() -> None:
    # ten containers at a time, one ends every 12 s: each runs 120 s
    load = learned(*(sample(minute, completed=5.0 * minute) for minute in range(121)))
    assert load.task_seconds(30) == pytest.approx(120, rel=0.2)
    assert load.task_seconds(30) > 100


def test_a_counter_that_began_anew_teaches_nothing() -> None:
    load = learned(sample(0, completed=1000), sample(1, completed=1005))
    restarted = learned(sample(2, completed=3), load=load)
    assert (restarted.seen_seconds, restarted.seen_containers) == (load.seen_seconds, load.seen_containers)


def test_without_a_probe_a_backlog_shows_how_long_containers_run_while_nobody_submits() -> None:
    # ten containers at a time, 25 end in five minutes: each runs 120 s
    assert backlog(*range(1000, 0, -25)).task_seconds(30) == pytest.approx(120, rel=0.2)


def test_a_backlog_that_does_not_move_is_of_long_containers_and_longer_the_longer_it_stands() -> None:
    lengths = [backlog(*(40 for _ in range(samples))).task_seconds(30) for samples in range(2, 8)]
    assert lengths[0] > 150
    assert lengths == sorted(lengths)


def streams(count: int, *, ends: float, asks: float, applications: float | None = 4.0) -> Load:
    """A backlog of 1000 that so many containers leave and enter in five minutes, with one application more."""
    waiting = (1000 + (asks - ends) * n for n in range(count))
    return learned(
        *(
            sample(5 * n, pending=left, submitted=float(n), applications=applications)
            for n, left in enumerate(waiting)
        )
    )


def test_an_application_that_comes_hides_how_many_containers_ended_where_none_are_counted() -> None:
    assert streams(20, ends=25, asks=0, applications=None).task_seconds(30) == 30


def test_applications_that_come_are_taken_to_ask_for_as_much_as_those_that_are_there() -> None:
    # ten containers at a time, ten end in five minutes: each runs 300 s. An application brings 10 of the 40 there
    samples = [sample(5 * n, pending=30, submitted=float(n), applications=4.0) for n in range(20)]
    assert 200 < learned(*samples).task_seconds(30) < 300


def test_applications_that_come_never_make_containers_look_shorter_than_expected() -> None:
    # two applications with 1010 containers between them: one like these would mean that each ran for 6 s
    crowd = streams(20, ends=25, asks=25, applications=2.0)
    assert crowd.task_seconds(30) == 30
    assert crowd.seen_seconds / crowd.seen_containers == pytest.approx(15)


def test_without_a_probe_containers_are_never_taken_to_be_shorter_than_expected() -> None:
    assert backlog(*range(1000, 0, -25)).task_seconds(600) == 600
    counted = learned(*(sample(minute, completed=5.0 * minute) for minute in range(121)))
    assert counted.task_seconds(600) < 300


def test_applications_that_bring_more_than_could_be_guessed_teach_nothing() -> None:
    assert streams(20, ends=25, asks=500, applications=400.0).task_seconds(30) == 30


def test_a_sample_that_does_not_tell_of_applications_teaches_no_length() -> None:
    assert backlog(*range(1000, 0, -25), submitted=None).task_seconds(30) == 30
    gaps = [sample(5 * n, pending=40, submitted=3.0 if n % 2 else None) for n in range(20)]
    assert learned(*gaps).task_seconds(30) == 30


def test_a_cluster_that_was_not_full_at_both_samples_teaches_no_length() -> None:
    assert backlog(0, 40, 0, 40, 0).task_seconds(30) == 30


def test_a_silence_teaches_no_length() -> None:
    load = learned(sample(0, pending=40, submitted=3), sample(60, pending=40, submitted=3))
    assert load.task_seconds(30) == 30


def test_no_container_is_taken_to_run_for_longer_than_a_day() -> None:
    assert Load(seen_seconds=1e18, seen_containers=2).task_seconds(30) == 86_400


@pytest.mark.parametrize("running", [1, 3, 10])
def test_few_containers_that_do_not_end_are_long_as_soon_as_many(running: int) -> None:
    many, few = (
        learned(*(sample(5 * n, containers=c, pending=2, submitted=3) for n in range(4))) for c in (100, running)
    )
    assert few.task_seconds(30) == pytest.approx(many.task_seconds(30))


def test_many_containers_that_have_just_begun_are_not_long() -> None:
    load = learned(sample(0, containers=1, completed=0), sample(1, containers=500, completed=0))
    assert load.task_seconds(30) < 35


def test_a_length_is_forgotten_while_applications_come_of_which_nothing_is_known() -> None:
    long = backlog(*range(100, 0, -3))
    assert long.task_seconds(30) > 400
    base = 5 * 40
    later = learned(*(sample(base + 5 * n, pending=20, submitted=4.0 + n) for n in range(60)), load=long)
    assert later.task_seconds(30) < 0.5 * long.task_seconds(30)


def test_how_long_containers_run_is_known_from_those_that_end_alone() -> None:
    assert backlog(*(40 for _ in range(20))).length_known == 0
    assert 0.5 < backlog(*range(1000, 0, -25)).length_known < 1


def test_an_hour_of_the_week_is_known_once_it_was_seen() -> None:
    load = learned(*(sample(minute) for minute in range(0, 66, 5)))
    next_monday = MONDAY_NOON + timedelta(days=7)
    assert load.profile.expected_mib(next_monday) == 10_000
    assert load.profile.expected_mib(next_monday + timedelta(hours=1)) == 0


def test_half_of_an_hour_of_the_week_is_the_last_week_s() -> None:
    load = learned(*(sample(minute) for minute in range(0, 66, 5)))
    week = 7 * 24 * 60
    again = learned(*(sample(week + minute, mib=20_000) for minute in range(0, 66, 5)), load=load)
    assert again.profile.expected_mib(MONDAY_NOON) == 15_000


def test_an_hour_that_was_hardly_seen_is_not_learned() -> None:
    load = learned(sample(0), sample(5), sample(10), sample(70))
    assert load.profile.hours_mib == ()


def test_nodes_are_ready_before_an_hour_that_is_usually_busy() -> None:
    hours = tuple(100_000 if hour == 13 else 0 for hour in range(168))
    load = Load(profile=WeekProfile(hours_mib=hours))
    quiet = replace(sample(0), allocated_mib=0.0)

    def usual_mib(minute: int) -> float:
        now = MONDAY_NOON + timedelta(minutes=minute)
        policy = TaskPolicy(objective=Objective.BALANCED)
        return find_want(quiet, load, policy, elsewhere_mib=10_000, now=now).usual_mib

    assert [usual_mib(minute) for minute in (40, 50, 100, 115)] == [0, 30_000, 30_000, 0]
