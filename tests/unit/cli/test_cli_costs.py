"""costs: windows, groupings, formats, and totals that equal their parts."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.installations import Rehearsal

from emr_autoscaler.domain.cost_history import MonthClose
from emr_autoscaler.domain.costs import exact_sum
from emr_autoscaler.domain.fair_rounding import rounded
from emr_autoscaler_cli.cost_report import By, add_up, months

WINDOW = ("--from", "2026-10-05", "--to", "2026-10-06")


@pytest.mark.parametrize("by", list(By))
def test_rows_add_up_to_the_total_exactly_whatever_they_stand_for(run, rehearsal, by) -> None:
    document = run("costs", *WINDOW, "--by", by, "--json", on=rehearsal).json
    for amount in ("effective_cost_usd", "list_cost_usd"):
        assert exact_sum(Decimal(row[amount]) for row in document["rows"]) == Decimal(document["total"][amount])
    assert Decimal(document["total"]["effective_cost_usd"]) > 0


def test_the_total_is_what_the_table_holds(run, rehearsal) -> None:
    hours = rehearsal.ports.costs.hours_of_account("123456789012", "2026-10")
    document = run("costs", *WINDOW, "--format", "json", on=rehearsal).json
    assert Decimal(document["total"]["effective_cost_usd"]) == exact_sum(h.effective_cost_usd for h in hours)
    assert document["cluster_hours"] == len(hours)


def test_window_time_zone_and_status_are_always_stated(run, rehearsal) -> None:
    document = run("costs", *WINDOW, "--json", on=rehearsal).json
    assert document["window"] == {
        "from": "2026-10-05T00:00:00Z",
        "to": "2026-10-06T00:00:00Z",
        "time_zone": "UTC",
    }
    assert document["status"] == "ESTIMATED"
    table = run("costs", *WINDOW, on=rehearsal).out
    assert "2026-10-05 00:00:00Z to 2026-10-06 00:00:00Z (UTC)" in table
    assert "ESTIMATED" in table
    row = next(csv.DictReader(io.StringIO(run("costs", *WINDOW, "--format", "csv", on=rehearsal).out)))
    assert (row["status"], row["time_zone"], row["from"]) == ("ESTIMATED", "UTC", "2026-10-05 00:00:00Z")


def test_csv_holds_exact_amounts_and_rows_only(run, rehearsal) -> None:
    result = run("costs", *WINDOW, "--by", "component", "--format", "csv", on=rehearsal)
    rows = list(csv.DictReader(io.StringIO(result.out)))
    document = run("costs", *WINDOW, "--by", "component", "--json", on=rehearsal).json
    assert [row["effective_cost_usd"] for row in rows] == [r["effective_cost_usd"] for r in document["rows"]]
    assert document["total"]["effective_cost_usd"] in result.err


def test_a_cost_centre_and_a_cluster_narrow_the_report(run, rehearsal) -> None:
    everything = run("costs", *WINDOW, "--json", on=rehearsal).json
    for narrow in (["--cost-centre", "research"], ["--cluster", rehearsal.cluster_id]):
        assert run("costs", *WINDOW, *narrow, "--json", on=rehearsal).json["rows"] == everything["rows"]
    for other in (
        ["--cost-centre", "sales"],
        ["--cluster", "j-OTHER"],
        ["--cluster", rehearsal.cluster_id, "--cost-centre", "sales"],
    ):
        assert run("costs", *WINDOW, *other, "--json", on=rehearsal).json["rows"] == []


def test_a_closed_month_is_named_with_the_time_since_when_it_stands(run, rehearsal) -> None:
    assert run("costs", *WINDOW, "--json", on=rehearsal).json["closed_months"] == []
    close = MonthClose(
        account_id="123456789012", month="2026-10", closed_at=datetime(2026, 11, 3, 4, 40, tzinfo=UTC)
    )
    rehearsal.ports.costs.close_month(close)
    assert run("costs", *WINDOW, "--json", on=rehearsal).json["closed_months"] == [
        {"month": "2026-10", "closed_at": "2026-11-03T04:40:00Z"}
    ]
    assert "2026-10 is closed since 2026-11-03 04:40:00Z" in run("costs", *WINDOW, on=rehearsal).err
    assert run("costs", "--from", "2026-09-01", "--to", "2026-10-01", on=rehearsal).err == ""


def test_what_was_saved_stands_below_the_table_and_in_every_row_of_whole_hours(run, rehearsal) -> None:
    assert "saved: " in run("costs", *WINDOW, on=rehearsal).out
    for by in By:
        document = run("costs", *WINDOW, "--by", by, "--json", on=rehearsal).json
        for amount in ("scaling_saving_usd", "reaping_saving_usd"):
            shown = [row[amount] for row in document["rows"]]
            if by in {By.GROUP, By.COMPONENT}:
                assert set(shown) == {None}
            else:
                assert exact_sum(map(Decimal, shown)) == Decimal(document["total"][amount])


def test_a_window_without_hours_says_so(run, rehearsal) -> None:
    result = run("costs", "--from", "2025-01-01", "--to", "2025-02-01", on=rehearsal)
    assert result.code == 0
    assert "no hour is recorded" in result.out


def test_an_empty_window_is_wrong_usage(run, rehearsal) -> None:
    result = run("costs", "--from", "2026-10-06", "--to", "2026-10-05", on=rehearsal)
    assert result.code == 2
    assert "--from" in result.err


def test_hours_belong_to_the_window_they_begin_in(rehearsal) -> None:
    hours = rehearsal.ports.costs.hours_of_account("123456789012", "2026-10")
    first = hours[0].hour
    assert add_up(hours, By.HOUR, first, first + timedelta(hours=1)).cluster_hours == 1
    assert add_up(hours, By.HOUR, first + timedelta(seconds=1), first + timedelta(hours=1)).cluster_hours == 0


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless(run) -> None:
    rehearsal = Rehearsal(name="=HYPERLINK(1)")
    out = run("costs", *WINDOW, "--format", "csv", on=rehearsal).out
    assert "'=HYPERLINK(1)" in out


def test_months_are_those_that_the_window_touches() -> None:
    start, end = datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert list(months(start, end)) == ["2026-11", "2026-12"]


@given(st.lists(st.decimals(min_value=0, max_value=10_000, places=12), max_size=30))
def test_rounded_amounts_add_up_and_none_is_off_by_a_whole_step(amounts: list[Decimal]) -> None:
    shown = rounded(amounts, 4)
    step = Decimal("0.0001")
    assert exact_sum(shown) == exact_sum(amounts).quantize(step)
    assert all(abs(a - b) < step for a, b in zip(amounts, shown, strict=True))
