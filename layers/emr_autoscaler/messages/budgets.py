"""The document of budgets in Parameter Store: its fields and bounds; what they mean is domain/budgets.py's."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emr_autoscaler.domain.budgets import Budget
from emr_autoscaler.domain.errors import InvalidPolicyError

_SHOWN = 5


class BudgetDocument(BaseModel):
    """The budget of one cost centre."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    month_usd: Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=2)]
    thresholds_percent: Annotated[
        list[Annotated[int, Field(ge=1, le=1000, strict=True)]], Field(min_length=1, max_length=10)
    ] = [50, 80, 100]


class BudgetsDocument(BaseModel):
    """Budgets by the name of the cost centre."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    budgets: dict[Annotated[str, Field(min_length=1, max_length=256)], BudgetDocument] = {}


def parse_budgets(text: str) -> tuple[Budget, ...]:
    """Read the document.

    Raises:
        InvalidPolicyError: It cannot be used; names the field and what is wrong.
    """
    try:
        document = BudgetsDocument.model_validate_json(text)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(step) for step in p['loc']) or 'document'}: {p['msg']}" for p in error.errors()
        ]
        msg = "budgets: " + "; ".join(problems[:_SHOWN])
        raise InvalidPolicyError(msg) from error
    return tuple(
        Budget(
            cost_centre=name,
            month_usd=budget.month_usd,
            thresholds_percent=tuple(sorted(set(budget.thresholds_percent))),
        )
        for name, budget in sorted(document.budgets.items())
    )
