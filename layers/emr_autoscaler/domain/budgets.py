"""Budgets of cost centres: what is spent, where the month is heading, and which thresholds that reaches."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

FORECAST_AFTER = timedelta(days=2)
"""Before that, a run rate says more about the hour of the day than about the month."""

FORECAST = "FORECAST"
"""The threshold of a forecast above the whole budget; the others are percents of what is spent."""

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a cost centre may spend in a calendar month (UTC).

    Attributes:
        cost_centre: Who pays; UNALLOCATED for clusters without one.
        month_usd: The whole budget.
        thresholds_percent: Percents of it at which people are told, rising.
    """

    cost_centre: str
    month_usd: Decimal
    thresholds_percent: tuple[int, ...] = (50, 80, 100)

    def __post_init__(self) -> None:
        """Refuse budgets that cannot be compared with anything."""
        if self.month_usd <= 0:
            msg = f"budget of {self.cost_centre}: month_usd must be above 0"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """How a cost centre stands.

    Attributes:
        budget: Its budget.
        month: 2026-10.
        spent_usd: Recorded so far, corrections included.
        forecast_usd: At the month's run rate so far; None where it is too early to say.
        reached: Thresholds reached, as texts: "50", "80", "100", FORECAST.
    """

    budget: Budget
    month: str
    spent_usd: Decimal
    forecast_usd: Decimal | None
    reached: tuple[str, ...]


def judge_budget(budget: Budget, spent_usd: Decimal, now: datetime) -> BudgetState:
    """Say how a cost centre stands at ``now``, with hours recorded up to the last whole one."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = hour.replace(day=1, hour=0)
    following = (first + timedelta(days=32)).replace(day=1)
    elapsed_hours, month_hours = ((t - first) // timedelta(hours=1) for t in (hour, following))
    forecast = None
    with localcontext(prec=60):
        if hour - first >= FORECAST_AFTER:
            forecast = (spent_usd / elapsed_hours * month_hours).quantize(_CENT)
        percents = [p for p in budget.thresholds_percent if spent_usd * 100 >= budget.month_usd * p]
    reached = [str(percent) for percent in percents]
    if forecast is not None and forecast > budget.month_usd:
        reached.append(FORECAST)
    return BudgetState(
        budget=budget,
        month=f"{first:%Y-%m}",
        spent_usd=spent_usd,
        forecast_usd=forecast,
        reached=tuple(reached),
    )
