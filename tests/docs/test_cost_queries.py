"""The queries of docs/costs.md work as printed, on a recorded cluster; its columns are those of the export."""

import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import boto3
import pytest
from moto import mock_aws
from tests.support.backends import ENDPOINT_VARIABLE
from tests.support.samples import cost_line, hour_record
from tests.support.tables import table_definition
from tests.support.template import PROJECT

from emr_autoscaler.adapters.cost_store import DynamoCosts
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.adapters.focus_csv import COLUMNS
from emr_autoscaler.domain.cost_history import MonthClose
from emr_autoscaler.domain.price_book import Component, Price, PriceKey
from emr_autoscaler.messages.budgets import parse_budgets

PAGE = (PROJECT / "docs/costs.md").read_text()
QUERIES = [text for text in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL) if '"costs"' in text]
ACCOUNT, REGION, CLUSTER = "123456789012", "us-east-1", "j-2AXXXXXXGAPLF"
H13 = datetime(2026, 10, 5, 13, tzinfo=UTC)


# PartiQL itself runs on DynamoDB Local (make test-dynamodb): moto's knows neither indexes nor BETWEEN. On moto
# the same conditions run as queries, so that keys and attributes are checked everywhere.
ENGINES = ["moto", *(["endpoint"] if os.environ.get(ENDPOINT_VARIABLE) else [])]


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.enable_socket] if name == "endpoint" else []) for name in ENGINES
    ]
)
def ask(request):
    """A function from a query to the items it finds, on a table with one corrected hour."""
    url = os.environ.get(ENDPOINT_VARIABLE) if request.param == "endpoint" else None
    with mock_aws():
        dynamodb = boto3.client(
            "dynamodb", endpoint_url=url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
        )
        if url:
            with suppress(dynamodb.exceptions.ResourceNotFoundException):
                dynamodb.delete_table(TableName="costs")
        dynamodb.create_table(TableName="costs", **table_definition("CostTable"))
        costs = DynamoCosts(Table(dynamodb, "costs"))
        options = {"account_id": ACCOUNT, "region": REGION, "cost_centre": "research"}
        costs.put_hour(hour_record(CLUSTER, H13, **options))
        costs.close_month(MonthClose(account_id=ACCOUNT, month="2026-10", closed_at=H13))
        later = datetime(2026, 11, 3, tzinfo=UTC)
        costs.put_hour(hour_record(CLUSTER, H13, lines=(cost_line("1"),), recorded_at=later, **options))
        key = PriceKey(component=Component.EMR_FEE, region=REGION, item="m5.xlarge")
        costs.put_prices([Price(key=key, usd=Decimal("0.048"), unit="Hours", effective_from=H13, source="SKU1")])
        yield partial(_on_dynamodb if url else _as_query, dynamodb)


def _on_dynamodb(dynamodb, query):
    return dynamodb.execute_statement(Statement=" ".join(query.split()))["Items"]


def _as_query(dynamodb, query):
    wanted, index, where = re.search(
        r'SELECT (.*?)\s+FROM "costs"(?:\."([\w-]+)")?\s+WHERE (.*)', query, re.DOTALL
    ).groups()
    names = {f"#n{n}": name.strip(' "\n') for n, name in enumerate(wanted.split(","))}
    values = {f":v{n}": {"S": text} for n, text in enumerate(re.findall(r"'([^']*)'", where))}
    for name, value in values.items():
        where = where.replace(f"'{value['S']}'", name, 1)
    return dynamodb.query(
        TableName="costs",
        KeyConditionExpression=" ".join(where.split()),
        ExpressionAttributeValues=values,
        ProjectionExpression=", ".join(names),
        ExpressionAttributeNames=names,
        **({"IndexName": index} if index else {}),
    )["Items"]


def test_there_are_queries():
    assert len(QUERIES) == 6


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_page_finds_what_was_recorded(ask, query):
    wanted = re.search(r"SELECT (.*?)\s+FROM", query, re.DOTALL)[1]
    (item,) = ask(query)
    assert set(item) == {name.strip(' "\n') for name in wanted.split(",")}


def test_the_athena_table_has_the_columns_of_the_export_in_order():
    body = re.search(r"CREATE EXTERNAL TABLE emr_costs \((.*?)\n\)", PAGE, re.DOTALL)[1]
    assert re.findall(r"(\w+) string", body) == list(COLUMNS)


def test_the_budgets_of_the_page_can_be_read():
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert [budget.cost_centre for budget in parse_budgets(text)] == ["UNALLOCATED", "research"]
