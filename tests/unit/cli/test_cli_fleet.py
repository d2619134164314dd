"""simulate --fleet: many small clusters under one deployment."""

import pytest


def fleet(run, *more):
    return run("simulate", "--fleet", "4", "--policy", "emr-autoscaler", "--seed", "1", "--hours", "6", *more)


def test_a_fleet_is_looked_after_to_its_end(run) -> None:
    figures = fleet(run, "--json").json
    assert (figures["clusters"], figures["alive"], figures["given_up"]) == (4, 4, 0)
    assert figures["jobs"] > figures["jobs_done"] > 0  # the services run on
    assert figures["calls"]["RunJobFlow"] == 4
    assert {"enroll_cluster", "scale_task_groups", "reap_idle_clusters", "record_costs", "sweep_fleet"} <= set(
        figures["invocations"]
    )


def test_the_same_seed_gives_the_same_fleet(run) -> None:
    first, second = (fleet(run, "--json").out for _ in range(2))
    assert first == second


def test_calls_are_shown_as_part_of_the_accounts_quota(run) -> None:
    figures = fleet(run, "--json").json
    assert all(0 <= share < 1 for share in figures["calls_per_quota"].values())
    seconds = 4 * 2 + 1800 + 6 * 3600
    assert figures["calls_per_quota"]["ListInstanceGroups"] == pytest.approx(
        figures["calls"]["ListInstanceGroups"] / seconds, abs=1e-3
    )


def test_people_get_a_summary_and_how_long_it_took(run) -> None:
    result = fleet(run)
    assert "4 small clusters" in result.out
    assert "s of one core" in result.err


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--policy", "static:3"), "--policy"),
        (("--policy", "emr-autoscaler:fast"), "--policy"),
        (("--start-hour", "3"), "--start-hour"),
        (("--hours", "30"), "--hours"),
        (("--trace", "day.tsv"), "--trace"),
    ],
)
def test_what_has_no_meaning_for_a_fleet_is_refused(run, more, named) -> None:
    result = fleet(run, *more)
    assert result.code == 2
    assert named in result.err
