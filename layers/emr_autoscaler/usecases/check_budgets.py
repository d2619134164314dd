"""Compare what cost centres have spent with their budgets, and tell people once at each threshold."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from emr_autoscaler.domain.budgets import FORECAST, BudgetState, judge_budget
from emr_autoscaler.domain.errors import InvalidPolicyError
from emr_autoscaler.ports import Budgets, Clock, Costs, Notification, Notifier

_INVALID = "INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckBudgets:
    """One look at every budget; costs one GetItem for each cost centre that has one."""

    clock: Clock
    costs: Costs
    budgets: Budgets
    notifier: Notifier

    def __call__(self) -> tuple[BudgetState, ...]:
        """Return how every budget stands; people are told of thresholds that are reached for the first time."""
        now = self.clock.now()
        month = f"{now.astimezone(UTC):%Y-%m}"
        try:
            budgets = self.budgets.all()
        except InvalidPolicyError as error:
            self._complain(error, now)
            return ()
        states = []
        for budget in budgets:
            total = self.costs.month_total(budget.cost_centre, month)
            spent = Decimal(0) if total is None else total.total_usd
            state = judge_budget(budget, spent, now)
            self._tell(state)
            states.append(state)
        return tuple(states)

    def _tell(self, state: BudgetState) -> None:
        name, month = state.budget.cost_centre, state.month
        told = self.budgets.told(name, month) if state.reached else frozenset()
        news = [threshold for threshold in state.reached if threshold not in told]
        if not news:
            return
        last = news[-1]
        share = (state.spent_usd * 100 / state.budget.month_usd).quantize(Decimal(1))
        what = "is heading above its budget" if last == FORECAST else f"has reached {last} % of its budget"
        forecast = (
            "" if state.forecast_usd is None else f" At this rate the month ends at {state.forecast_usd:,f}."
        )
        self.notifier.notify(
            Notification(
                subject=f"EMR costs of {name} in {month}: {what}",
                body=(
                    f"Cost centre {name} {what} for {month} (UTC): {_usd(state.spent_usd)} of "
                    f"{state.budget.month_usd:,f} USD, {share} %.{forecast}\n"
                    f"See what it is made of: emr-autoscaler costs --cost-centre '{name}' --by cluster"
                ),
                attributes={"kind": "BUDGET", "severity": "warning", "cost_centre": name, "reason": last},
            )
        )
        # After telling: told twice at worst, never not at all.
        self.budgets.note_told(name, month, frozenset(state.reached) | told)

    def _complain(self, error: InvalidPolicyError, now: datetime) -> None:
        day = f"{now.astimezone(UTC):%Y-%m-%d}"
        if _INVALID in self.budgets.told(_INVALID, day):
            return
        body = f"{error}\nNo budget is watched until the parameter is mended."
        attributes = {"kind": "BUDGET", "severity": "warning", "reason": _INVALID}
        self.notifier.notify(Notification(subject="EMR budgets cannot be read", body=body, attributes=attributes))
        self.budgets.note_told(_INVALID, day, frozenset({_INVALID}))


def _usd(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01')):,f}"
