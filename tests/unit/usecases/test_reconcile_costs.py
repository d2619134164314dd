"""What the bill proves, what differs and who is told; estimates without a bill stay estimates."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.support.finance import RecordedWorld

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.cost_history import MonthClose
from emr_autoscaler.domain.costs import RecordStatus, exact_sum
from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.price_book import Component
from emr_autoscaler.domain.reconciliation import ADJUSTMENT, BilledAmount, BillKey

LATER = datetime(2026, 10, 9, 4, 40, tzinfo=UTC)


class Clock:
    def __init__(self, moment):
        self.moment = moment

    def now(self):
        return self.moment


@pytest.fixture
def recorded():
    found = RecordedWorld()
    found.ports.clock = Clock(LATER)
    found.cases = UseCases(found.ports)
    return found


def bill(recorded, *, times="1", without=()):
    """The estimates as AWS might have billed them."""
    amounts = {}
    for record in recorded.records():
        for component in {line.component for line in record.lines} - set(without):
            usd = exact_sum(line.effective_cost_usd for line in record.lines if line.component is component)
            key = BillKey(cluster_id=record.cluster_id, hour=record.hour, component=component)
            amounts[key] = BilledAmount(effective_usd=usd * Decimal(times), line_items=7, source="export-1.csv.gz")
    recorded.ports.billing_export.months["2026-10"] = amounts


def test_without_an_export_nothing_happens(recorded):
    before = recorded.records()
    assert recorded.cases.reconcile_costs().hours == 0
    assert recorded.records() == before
    assert recorded.ports.notifier.sent == []


def test_an_equal_bill_proves_the_hours_and_changes_no_amount(recorded):
    bill(recorded)
    spent = recorded.spent()
    found = recorded.cases.reconcile_costs()
    assert found.hours == len(recorded.records())
    assert {record.status for record in recorded.records()} == {RecordStatus.RECONCILED}
    assert recorded.spent() == spent


def test_a_difference_is_a_line_of_its_own_and_the_sum_is_the_bills(recorded):
    bill(recorded, times="0.9")
    spent = recorded.spent()
    recorded.cases.reconcile_costs()
    assert recorded.spent() == spent * Decimal("0.9")
    for record in recorded.records():
        adjustments = [line for line in record.lines if line.item == ADJUSTMENT]
        assert {line.component for line in adjustments} == set(Component)
        assert all("export-1.csv.gz" in line.price_source for line in adjustments)
    (told,) = recorded.ports.notifier.sent
    assert "EC2_SPOT: bill less estimate" in told.body
    assert "moved by -" in told.body


def test_comparing_again_with_the_same_bill_changes_nothing(recorded):
    bill(recorded, times="0.9")
    recorded.cases.reconcile_costs()
    before = recorded.records()
    found = recorded.cases.reconcile_costs()
    assert (found.hours, found.unchanged) == (0, len(before))
    assert recorded.records() == before
    assert len(recorded.ports.notifier.sent) == 1


def test_what_a_run_compared_before_it_failed_is_told(recorded):
    bill(recorded, times="0.9")
    costs, put = recorded.ports.costs, recorded.ports.costs.put_hour
    written = []

    def failing(record, instances):
        written.append(record)
        if len(written) == 2:
            raise UnavailableError("slow down")
        return put(record, instances)

    costs.put_hour = failing
    with pytest.raises(UnavailableError):
        recorded.cases.reconcile_costs()
    recorded.cases.reconcile_costs()
    assert [note.body.split()[0] for note in recorded.ports.notifier.sent] == ["1", str(len(written) - 2)]


def test_a_bill_that_changes_moves_reconciled_hours(recorded):
    bill(recorded, times="0.9")
    spent = recorded.spent()
    recorded.cases.reconcile_costs()
    estimated = {r.hour: r for r in recorded.records()}
    for key, amount in recorded.ports.billing_export.months["2026-10"].items():
        assert key.hour in estimated
        recorded.ports.billing_export.months["2026-10"][key] = BilledAmount(
            effective_usd=amount.effective_usd / Decimal("0.9"), line_items=7, source="export-2.csv.gz"
        )
    recorded.cases.reconcile_costs()
    assert abs(recorded.spent() - spent) < Decimal("1e-20")


def test_an_hour_whose_ec2_lines_are_missing_stays_an_estimate_and_the_tag_is_suggested(recorded):
    bill(recorded, without=[Component.EBS])
    first = next(iter(recorded.records()))
    recorded.ports.billing_export.months["2026-10"][
        BillKey(cluster_id=first.cluster_id, hour=first.hour, component=Component.EBS)
    ] = BilledAmount(effective_usd=Decimal(1), line_items=1, source="x")
    found = recorded.cases.reconcile_costs()
    assert found.hours == 1
    assert sum(record.status is RecordStatus.ESTIMATED for record in recorded.records()) == 2
    assert "job-flow-id" in recorded.ports.notifier.sent[0].body


def test_a_young_hour_waits(recorded):
    bill(recorded)
    recorded.ports.clock.moment = datetime(2026, 10, 5, 18, tzinfo=UTC)
    assert recorded.cases.reconcile_costs().hours == 0


def test_the_recorder_leaves_reconciled_hours_alone(recorded):
    bill(recorded, times="0.5")
    recorded.cases.reconcile_costs()
    before = recorded.records()
    recorded.ports.clock.moment = before[-1].hour + timedelta(hours=1, minutes=30)
    recorded.cases.record_costs()
    assert recorded.records() == before


def test_what_the_bill_says_of_a_closed_month_is_a_correction(recorded):
    bill(recorded, times="0.9")
    spent = recorded.spent()
    recorded.ports.clock.moment = datetime(2026, 11, 5, 4, 40, tzinfo=UTC)
    close = MonthClose(account_id=recorded.ports.account_id, month="2026-10", closed_at=LATER)
    recorded.ports.costs.close_month(close)
    recorded.cases.reconcile_costs()
    recorded.cases.reconcile_costs()
    assert recorded.spent() == spent
    assert recorded.spent(month="2026-11") == spent * Decimal("-0.1")
    for correction in recorded.ports.costs.corrections_of_cost_centre("analytics", "2026-11"):
        assert {line.item for line in correction.added_lines} == {ADJUSTMENT}
