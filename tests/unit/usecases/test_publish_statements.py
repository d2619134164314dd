"""When exports and statements are written, what they contain, and what happens when a run dies."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.support.finance import RecordedWorld

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.costs import exact_sum
from emr_autoscaler.domain.errors import UnavailableError

DAY = timedelta(days=1)
NEXT_MONTH = datetime(2026, 11, 3, 4, 40, tzinfo=UTC)


@pytest.fixture
def recorded():
    return RecordedWorld()


def at(recorded, moment):
    """The use cases at another time; the world stands still, for nothing in it matters any more."""

    class Clock:
        def now(self):
            return moment

    recorded.ports.clock = Clock()
    return UseCases(recorded.ports)


def test_the_export_of_yesterday_holds_every_recorded_line(recorded):
    published = at(recorded, datetime(2026, 10, 6, 4, 40, tzinfo=UTC)).publish_statements()

    account, region = recorded.ports.account_id, recorded.ports.region
    rows = recorded.ports.statements.days[account, region, date(2026, 10, 5)]
    assert len(published.files) == 3
    assert exact_sum(row.effective_cost for row in rows) == recorded.spent()
    assert published.closed_month is None


def test_a_month_is_closed_and_its_statements_are_issued_once(recorded):
    cases = at(recorded, NEXT_MONTH)
    first, second = cases.publish_statements(), cases.publish_statements()

    assert (first.closed_month, first.statements) == ("2026-10", 1)
    assert (second.closed_month, second.statements) == (None, 0)
    assert len(first.files) == 31 + 2
    statement = recorded.ports.statements.statements[recorded.ports.account_id, "2026-10", "analytics"]
    assert statement.total.effective_cost_usd == statement.rollup_usd == recorded.spent()
    assert statement.due_usd == recorded.spent()
    (told,) = recorded.ports.notifier.sent
    assert "2026-10" in told.subject
    assert "analytics" in told.body


def test_before_the_third_nothing_is_closed(recorded):
    assert at(recorded, NEXT_MONTH - DAY).publish_statements().closed_month is None
    assert recorded.ports.costs.month_close(recorded.ports.account_id, "2026-10") is None


def test_the_tables_of_a_statement_add_up_to_its_total(recorded):
    at(recorded, NEXT_MONTH).publish_statements()
    (statement,) = recorded.ports.statements.statements.values()
    for table in (statement.by_cluster, statement.by_component, statement.by_day):
        for amount in ("effective_cost_usd", "contracted_cost_usd", "list_cost_usd", "spot_saving_usd"):
            assert exact_sum(getattr(row, amount) for row in table) == getattr(statement.total, amount)
    assert statement.total.cluster_hours == len(recorded.records())
    assert statement.status == "ESTIMATED"


def test_a_run_that_dies_while_issuing_is_finished_by_the_next(recorded):
    kept = recorded.ports.statements.put_statement

    def fail(_statement):
        raise UnavailableError("S3 is away")

    recorded.ports.statements.put_statement = fail
    with pytest.raises(UnavailableError):
        at(recorded, NEXT_MONTH).publish_statements()
    recorded.ports.statements.put_statement = kept
    assert at(recorded, NEXT_MONTH + DAY).publish_statements().statements == 1


def test_a_fact_after_the_close_is_exported_as_a_correction_on_its_day(recorded):
    at(recorded, NEXT_MONTH).publish_statements()
    closed = recorded.spent()
    (record, *_) = recorded.records()
    recorded.ports.costs.put_hour(replace(record, lines=record.lines[:1], recorded_at=NEXT_MONTH + DAY))
    at(recorded, NEXT_MONTH + 2 * DAY).publish_statements()

    days = recorded.ports.statements.days
    booked = days[recorded.ports.account_id, recorded.ports.region, (NEXT_MONTH + DAY).date()]
    gone = exact_sum(line.effective_cost_usd for line in record.lines[1:])
    assert exact_sum(row.effective_cost for row in booked) == -gone
    assert {row.charge_class for row in booked} == {"Correction"}
    assert recorded.spent() == closed
    assert recorded.spent(month="2026-11") == -gone < Decimal(0)


def test_a_day_is_written_again_only_when_something_was_recorded_since(recorded):
    mornings = [datetime(2026, 10, day, 4, 40, tzinfo=UTC) for day in (6, 7, 8)]
    first, second = (len(at(recorded, morning).publish_statements().files) for morning in mornings[:2])
    (record, *_) = recorded.records()
    restated = replace(record, lines=record.lines[1:], recorded_at=mornings[1] + timedelta(hours=1))
    recorded.ports.costs.put_hour(restated)
    third = at(recorded, mornings[2]).publish_statements().files
    assert (first, second) == (3, 1)
    assert [place[-10:] for place in third] == ["2026-10-05", "2026-10-07"]
    rows = recorded.ports.statements.days[recorded.ports.account_id, recorded.ports.region, date(2026, 10, 5)]
    assert exact_sum(row.effective_cost for row in rows) == recorded.spent()
