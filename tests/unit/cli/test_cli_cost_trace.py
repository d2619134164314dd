"""costs trace and the FOCUS format: a figure down to its instances, and the file finance imports."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.support.samples import hour_record

from emr_autoscaler.domain.costs import exact_sum
from emr_autoscaler.domain.savings import ReapingSaving, Replacements, Savings, ScalingSaving
from emr_autoscaler_cli.cost_savings import savings_document, savings_facts


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


def test_a_trace_tells_what_was_saved_against_what_and_by_which_decision() -> None:
    at = datetime(2026, 10, 5, 12, tzinfo=UTC)
    record = hour_record(
        savings=Savings(
            scaling=ScalingSaving(
                saved_usd=Decimal("1.5"),
                baseline_list_usd=Decimal(6),
                reference_hour=at,
                paid_share=Decimal("0.5"),
                scaled_in_at=at,
            ),
            reaping=ReapingSaving(
                saved_usd=Decimal(4),
                usd_per_hour=Decimal(2),
                seconds=7200,
                reference_hour=at,
                decision_id="IDLE-1",
                decided_at=at,
            ),
            replacements=Replacements(
                lost=2, lost_seconds=900, replaced=1, replaced_seconds=600, decision_ids=("INTERRUPTION-1",)
            ),
        )
    )
    facts = savings_facts(record)
    assert "1.500000 USD, an estimate" in facts["scaling saving"]
    assert "2026-10-05T12Z cost 6.000000 at list, these paid 50.0% of list" in facts["scaling saving"]
    assert "2.00 more hours" in facts["reaping saving"]
    assert "IDLE-1" in facts["reaping saving"]
    assert facts["replaced"].startswith("1 of 2 task instances")
    assert "INTERRUPTION-1" in facts["replaced"]
    assert savings_facts(hour_record()) == {}
    told = savings_document(record)
    assert (told["scaling"]["saved_usd"], told["reaping"]["seconds"]) == (Decimal("1.5"), 7200)
    assert savings_document(hour_record()) == {"scaling": None, "reaping": None, "replacements": None}
