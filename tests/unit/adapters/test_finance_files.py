"""Exports and statements on S3, and AWS's billing export read from it, on moto."""

import csv
import gzip
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import boto3
import pytest
from moto import mock_aws
from tests.support.finance import RecordedWorld, rows_of

from emr_autoscaler.adapters.budget_store import ParameterBudgets
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.adapters.focus_csv import COLUMNS
from emr_autoscaler.adapters.statement_page import index_page, statement_page
from emr_autoscaler.adapters.statement_store import S3Statements, file_name, statement_csv
from emr_autoscaler.domain.cost_history import correct
from emr_autoscaler.domain.costs import exact_sum
from emr_autoscaler.domain.statement import StatementSums
from emr_autoscaler.messages.budgets import parse_budgets

HOUR = datetime(2026, 10, 5, 13, tzinfo=UTC)
CLUSTER = "j-2AXXXXXXGAPLF"
ARN = f"arn:aws:elasticmapreduce:eu-central-1:123456789012:cluster/{CLUSTER}"
BUCKET = "finance"


@pytest.fixture
def s3():
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(scope="module")
def recorded():
    return RecordedWorld()


def a_statement(recorded, cost_centre="analytics", **changes):
    sums = StatementSums()
    for record in recorded.records():
        sums.add(record)
    return sums.statement(
        cost_centre,
        "2026-10",
        **{
            "account_id": "123456789012",
            "issued_at": datetime(2026, 11, 3, tzinfo=UTC),
            "corrections": (),
            "rollup_usd": recorded.spent(),
            **changes,
        },
    )


def body(s3, key):
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def test_a_day_of_the_export_is_a_partition_for_athena(s3, recorded):
    place = S3Statements(s3, BUCKET).put_focus_day(
        "123456789012", "us-east-1", date(2026, 10, 5), rows_of(recorded.traced()), written_at=HOUR
    )
    key = "focus/billing_period=2026-10/charge_date=2026-10-05/123456789012-us-east-1.csv.gz"
    assert place == f"s3://{BUCKET}/{key}"
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(body(s3, key)).decode())))
    assert tuple(rows[0]) == COLUMNS
    assert exact_sum(Decimal(row["EffectiveCost"]) for row in rows) == recorded.spent()


def test_the_same_rows_are_the_same_bytes(s3, recorded):
    store, bodies = S3Statements(s3, BUCKET), []
    for _ in range(2):
        store.put_focus_day("1", "r", date(2026, 10, 5), rows_of(recorded.traced()), written_at=HOUR)
        bodies.append(body(s3, "focus/billing_period=2026-10/charge_date=2026-10-05/1-r.csv.gz"))
    assert bodies[0] == bodies[1]


def test_a_day_tells_as_of_when_it_was_written(s3):
    store = S3Statements(s3, BUCKET)
    assert store.focus_day_written_at("1", "r", date(2026, 10, 5)) is None
    store.put_focus_day("1", "r", date(2026, 10, 5), (), written_at=HOUR)
    assert store.focus_day_written_at("1", "r", date(2026, 10, 5)) == HOUR


def test_a_month_is_issued_once_its_index_is_written(s3, recorded):
    store = S3Statements(s3, BUCKET)
    statement = a_statement(recorded)
    page = store.put_statement(statement)
    assert page.endswith("statements/123456789012/2026-10/analytics.html")
    assert not store.is_issued("123456789012", "2026-10")
    store.put_index("123456789012", "2026-10", [statement])
    assert store.is_issued("123456789012", "2026-10")
    assert b'href="analytics.html"' in body(s3, "statements/123456789012/2026-10/index.html")


def test_the_tables_of_the_statements_csv_add_up_exactly(recorded):
    statement = a_statement(recorded)
    rows = list(csv.DictReader(io.StringIO(statement_csv(statement))))
    for table in ("component", "day", "cluster", "total"):
        amounts = [Decimal(row["effective_cost_usd"]) for row in rows if row["table"] == table]
        assert exact_sum(amounts) == recorded.spent()
    assert {row["status"] for row in rows} == {"ESTIMATED"}


def test_the_page_stands_alone_and_says_zone_status_and_basis(recorded):
    page = statement_page(a_statement(recorded))
    assert "UTC" in page
    assert "ESTIMATED" in page
    assert "@media print" in page
    assert "http" not in page
    assert "<script" not in page
    assert "has to be looked at" not in page


def cents(text):
    return Decimal(text.replace(",", ""))


def test_the_cents_of_every_printed_table_add_up_to_its_total(recorded):
    # Thirds of a cent: rounded one by one, none of these columns would add up.
    third = Decimal("0.333333333333")
    statement = a_statement(recorded)
    rows = tuple(
        replace(
            statement.total,
            key=f"2026-10-{day:02d}",
            effective_cost_usd=third / 100 * (day % 3 + 1),
            contracted_cost_usd=third,
            list_cost_usd=third * 2,
            spot_saving_usd=-third / 100,
        )
        for day in range(1, 32)
    )
    fields = ("effective_cost_usd", "contracted_cost_usd", "list_cost_usd", "spot_saving_usd")
    sums = {name: exact_sum(getattr(row, name) for row in rows) for name in fields}
    page = statement_page(
        replace(statement, total=replace(statement.total, **sums), by_day=rows, by_cluster=rows, by_component=rows)
    )
    tables = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    assert len(tables) == 3
    for table in tables:
        *body, total = (
            re.findall(r"<td>([^<]*)</td>", row) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        )
        for column in range(-4, 0):
            assert exact_sum(cents(row[column]) for row in body) == cents(total[column])


def test_what_is_due_is_the_sum_of_the_two_figures_beside_it(recorded):
    statement = a_statement(recorded)
    (record, *_) = recorded.records()
    corrections = tuple(
        correct(record, replace(record, lines=record.lines[number:], revision=number + 1), "2026-10")
        for number in range(1, 6)
    )
    page = statement_page(replace(statement, corrections=corrections))
    due, own, booked = (cents(text) for text in re.findall(r"<dd>([-0-9.,]+)</dd>", page)[:3])
    assert own + booked == due
    table = page.partition("Corrections of closed months</h2>")[2].partition("</table>")[0]
    *parts, total = (cents(text) for text in re.findall(r"<td>(-?[0-9,]+\.[0-9]{2})</td>", table))
    assert exact_sum(parts) == total == booked


def test_the_page_reads_in_the_dark_and_prints_in_ink(recorded):
    page = statement_page(a_statement(recorded))
    assert "prefers-color-scheme: dark" in page
    assert "table-header-group" in page
    assert page.index("@media print { :root") > page.index("prefers-color-scheme: dark")


def test_the_index_adds_up_what_each_cost_centre_is_charged(recorded):
    statement = a_statement(recorded)
    page = index_page("123456789012", "2026-10", [statement, statement, statement], ["a", "b", "c"])
    *rows, total = (re.findall(r"<td>([0-9.,]+)</td>", row) for row in re.findall(r"<tr.*?</tr>", page))
    assert [exact_sum(cents(row[n]) for row in rows) for n in range(4)] == [cents(text) for text in total]


def test_a_page_warns_where_the_rollup_disagrees(recorded):
    assert "has to be looked at" in statement_page(a_statement(recorded, rollup_usd=Decimal(1)))


def test_names_that_people_chose_are_neither_markup_nor_formulas_nor_paths(recorded):
    statement = a_statement(recorded, cost_centre="=1+1<b>/../x")
    assert "<b>" not in statement_page(statement)
    assert "'=1+1" in statement_csv(statement)
    assert "/" not in file_name(statement.cost_centre)
    assert file_name("a b") != file_name("a-b")


# --------------------------------------------------------------------------- budgets


def test_budgets_come_from_parameter_store_and_what_was_told_is_kept(s3):
    options = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    ssm, dynamodb = boto3.client("ssm", **options), boto3.client("dynamodb", **options)
    keys = [("PK", "HASH"), ("SK", "RANGE")]
    dynamodb.create_table(
        TableName="costs",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    budgets = ParameterBudgets(ssm, Table(dynamodb, "costs"), parameter="/stack/budgets", parse=parse_budgets)
    assert budgets.all() == ()
    ssm.put_parameter(Name="/stack/budgets", Type="String", Value='{"budgets": {"analytics": {"month_usd": 100}}}')
    assert [budget.cost_centre for budget in budgets.all()] == ["analytics"]
    assert budgets.told("analytics", "2026-10") == frozenset()
    budgets.note_told("analytics", "2026-10", frozenset({"50", "FORECAST"}))
    assert budgets.told("analytics", "2026-10") == {"50", "FORECAST"}
