"""Who is told of a budget, when, and how often."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.support.fixed_clock import FixedClock
from tests.support.samples import cost_line, hour_record

from emr_autoscaler.domain.budgets import FORECAST, Budget, judge_budget
from emr_autoscaler.domain.errors import InvalidPolicyError
from emr_autoscaler.messages.budgets import parse_budgets
from emr_autoscaler.usecases.check_budgets import CheckBudgets
from emr_simulator.inprocess.billing import MemoryBudgets
from emr_simulator.inprocess.costs import MemoryCosts
from emr_simulator.inprocess.messages_out import MemoryNotifier

TENTH = datetime(2026, 10, 11, 0, 5, tzinfo=UTC)
BUDGET = Budget(cost_centre="analytics", month_usd=Decimal(100))


class Office:
    def __init__(self, *budgets, now=TENTH):
        self.costs, self.budgets, self.notifier = MemoryCosts(), MemoryBudgets(), MemoryNotifier()
        self.budgets.budgets = budgets
        self.check = CheckBudgets(
            clock=FixedClock(now), costs=self.costs, budgets=self.budgets, notifier=self.notifier
        )

    def spend(self, usd):
        self.costs.put_hour(hour_record(lines=(cost_line(usd),)))


def test_a_forecast_is_the_run_rate_over_the_whole_month():
    assert judge_budget(BUDGET, Decimal(10), TENTH).forecast_usd == Decimal("31.00")


def test_the_first_two_days_have_no_forecast():
    state = judge_budget(BUDGET, Decimal(10), datetime(2026, 10, 2, 23, 5, tzinfo=UTC))
    assert state.forecast_usd is None
    assert state.reached == ()


@pytest.mark.parametrize(
    ("spent", "reached"),
    [
        ("0", ()),
        ("32.25", ()),
        ("32.26", (FORECAST,)),
        ("50", ("50", FORECAST)),
        ("100", ("50", "80", "100", FORECAST)),
    ],
)
def test_thresholds_are_reached_by_what_is_spent_and_by_the_forecast(spent, reached):
    assert judge_budget(BUDGET, Decimal(spent), TENTH).reached == reached


def test_people_are_told_once_at_each_threshold():
    office = Office(BUDGET)
    for usd in ("10", "55", "56", "81"):
        office.spend(usd)
        office.check()
        office.check()
    told = [notification.attributes["reason"] for notification in office.notifier.sent]
    assert told == [FORECAST, "80"]
    assert "81.00 of 100 USD" in office.notifier.sent[-1].body


def test_a_cost_centre_without_hours_has_spent_nothing():
    assert [state.spent_usd for state in Office(BUDGET).check()] == [0]


def test_a_document_that_cannot_be_read_is_told_once_a_day_and_names_the_field():
    office = Office()

    def fail():
        return parse_budgets('{"budgets": {"analytics": {"month_usd": -1}}}')

    office.budgets.all = fail
    office.check()
    office.check()
    (told,) = office.notifier.sent
    assert "budgets.analytics.month_usd" in told.body


def test_a_document_reads_into_budgets_with_thresholds_rising():
    text = (
        '{"budgets": {"a": {"month_usd": "12.50", "thresholds_percent": [100, 50, 100]}, "b": {"month_usd": 3}}}'
    )
    first, second = parse_budgets(text)
    assert (first.month_usd, first.thresholds_percent) == (Decimal("12.50"), (50, 100))
    assert second.thresholds_percent == (50, 80, 100)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("no json", "document"),
        ('{"budget": {}}', "budget"),
        ('{"budgets": {"a": {}}}', "budgets.a.month_usd"),
        ('{"budgets": {"a": {"month_usd": 1, "thresholds_percent": []}}}', "thresholds_percent"),
        ('{"budgets": {"a": {"month_usd": 1, "thresholds_percent": [0]}}}', "thresholds_percent"),
    ],
)
def test_a_wrong_document_names_what_is_wrong(text, part):
    with pytest.raises(InvalidPolicyError, match=part):
        parse_budgets(text)
