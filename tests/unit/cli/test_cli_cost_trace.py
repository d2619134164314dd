"""costs trace and the FOCUS format: a figure down to its instances, and the file finance imports."""

import csv
import io
from decimal import Decimal

import pytest

from emr_autoscaler.domain.costs import exact_sum


@pytest.fixture
def record(rehearsal):
    return rehearsal.ports.costs.hours_of_account("123456789012", "2026-10")[0]


def test_a_trace_names_instances_seconds_prices_sources_and_revisions(run, rehearsal, record) -> None:
    hour = f"{record.hour:%Y-%m-%dT%H}"
    document = run("costs", "trace", record.cluster_id, hour, "--json", on=rehearsal).json
    assert exact_sum(Decimal(line["effective_cost_usd"]) for line in document["lines"]) == Decimal(
        document["effective_cost_usd"]
    )
    assert all(line["price_source"] for line in document["lines"])
    assert [revision["revision"] for revision in document["revisions"]] == [1]
    for number, line in enumerate(document["lines"]):
        charges = [c for i in document["instances"] for c in i["charges"] if c["line"] == number]
        assert len(charges) >= line["instances"]
        assert all(charge["component"] == line["component"] for charge in charges)
    assert {instance["start_source"] for instance in document["instances"]} == {"EC2_LAUNCH_TIME"}


def test_a_trace_reads_as_tables(run, rehearsal, record) -> None:
    result = run("costs", "trace", record.cluster_id, f"{record.hour:%Y-%m-%dT%HZ}", on=rehearsal)
    assert result.code == 0
    for word in ("effective", "EMR_FEE", "instances", "revisions", "UTC", "price 0"):
        assert word in result.out


@pytest.mark.parametrize("hour", ["2020-01-01T00", "2020-01-01T00:30Z"])
def test_an_hour_that_is_not_recorded_is_said_in_one_line(run, rehearsal, record, hour) -> None:
    result = run("costs", "trace", record.cluster_id, hour, on=rehearsal)
    assert (result.code, result.out) == (1, "")
    assert "no recorded hour 2020-01-01T00Z" in result.err


@pytest.mark.parametrize("words", [["trace"], ["trace", "j-1"], ["trace", "j-1", "noon"], ["weigh", "j-1", "x"]])
def test_a_question_that_is_not_understood_is_wrong_usage(run, rehearsal, words) -> None:
    assert run("costs", *words, on=rehearsal).code == 2


def test_the_focus_format_holds_the_window_to_the_last_digit(run, rehearsal) -> None:
    window = ("--from", "2026-10-05", "--to", "2026-10-06")
    rows = list(csv.DictReader(io.StringIO(run("costs", *window, "--format", "focus", on=rehearsal).out)))
    total = run("costs", *window, "--json", on=rehearsal).json["total"]["effective_cost_usd"]
    assert exact_sum(Decimal(row["EffectiveCost"]) for row in rows) == Decimal(total)
