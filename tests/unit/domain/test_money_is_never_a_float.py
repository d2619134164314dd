"""Money never meets a float: the rooms it lives in are read as code, its values as types, its items as stored."""

import ast
import dataclasses
import typing
from decimal import Decimal

import pytest
from tests.support.finance import RecordedWorld
from tests.support.template import PROJECT

from emr_autoscaler.adapters.cost_history_items import correction_item, revision_items
from emr_autoscaler.adapters.cost_items import hour_item, price_item, rollup_item
from emr_autoscaler.domain import budgets, cost_history, costs, focus, reconciliation, statement
from emr_autoscaler.domain.cost_history import HourRevision, correct
from emr_autoscaler.domain.policy import CostPolicy

LAYER = PROJECT / "layers/emr_autoscaler"
ROOMS = [
    *(
        LAYER / "domain" / f"{name}.py"
        for name in (
            "billing",
            "budgets",
            "cost_history",
            "costs",
            "focus",
            "idle_cost",
            "price_book",
            "reconciliation",
            "statement",
        )
    ),
    *(
        LAYER / "adapters" / f"{name}.py"
        for name in (
            "billing_export",
            "budget_store",
            "cost_history_items",
            "cost_items",
            "cost_store",
            "focus_csv",
            "hour_ledger",
            "price_list",
            "price_store",
            "statement_page",
            "statement_store",
        )
    ),
    *(
        LAYER / "usecases" / f"{name}.py"
        for name in (
            "billed_instances",
            "check_budgets",
            "publish_statements",
            "reconcile_costs",
            "record_costs",
            "refresh_prices",
        )
    ),
    LAYER / "messages/budgets.py",
    *(PROJECT / "cli/emr_autoscaler_cli" / f"{name}.py" for name in ("costs", "cost_report", "cost_trace")),
]
VALUES = [
    value
    for module in (budgets, cost_history, costs, focus, reconciliation, statement)
    for value in vars(module).values()
    if dataclasses.is_dataclass(value) and value.__module__ == module.__name__
]


def floats_of(tree):
    """What in a room is, or makes, a float."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"the number {node.value}"
        if isinstance(node, ast.Name) and node.id == "float":
            yield node.lineno, "the name float"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "Decimal"
            and node.args
            and isinstance(node.args[0], ast.Call)
            and isinstance(node.args[0].func, ast.Name)
            and node.args[0].func.id == "round"
        ):
            yield node.lineno, "a rounded float in a Decimal"


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.stem)
def test_no_room_of_money_names_or_makes_a_float(room):
    assert list(floats_of(ast.parse(room.read_text()))) == []


def test_the_walk_finds_floats():
    assert len(list(floats_of(ast.parse("x = 0.5 * float(y) + Decimal(round(z))")))) == 3


@pytest.mark.parametrize("value", [*VALUES, CostPolicy], ids=lambda kind: kind.__name__)
def test_no_value_of_money_has_a_field_that_may_be_a_float(value):
    hints = typing.get_type_hints(value)
    assert [name for name, hint in hints.items() if "float" in str(hint)] == []


def leaves(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def test_no_stored_item_holds_a_float():
    recorded = RecordedWorld()
    costs_of = recorded.ports.costs
    (record, other, *_) = recorded.records()
    revisions = costs_of.revisions(record.account_id, record.region, record.cluster_id, record.hour)
    prices = [price for steps in costs_of._prices.values() for price in steps.values()]
    items = [
        hour_item(record),
        rollup_item(costs_of.month_total("analytics", "2026-10"), revision=1),
        correction_item(correct(record, dataclasses.replace(other, hour=record.hour), "2026-11")),
        *revision_items(HourRevision(record=record, instances=revisions[0].instances)),
        *map(price_item, prices),
    ]
    found = [leaf for item in items for leaf in leaves(item)]
    assert any(isinstance(leaf, Decimal) for leaf in found)
    assert [leaf for leaf in found if isinstance(leaf, float)] == []
