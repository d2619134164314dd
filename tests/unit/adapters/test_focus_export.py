"""The mandatory rules of FOCUS 1.2 that our export can break, checked on a recorded cluster."""

import csv
import io
from decimal import Decimal

import pytest
from tests.support.finance import RecordedWorld
from tests.support.samples import T0, cost_line, hour_record

from emr_autoscaler.adapters.focus_csv import COLUMNS, csv_lines, plain_number
from emr_autoscaler.domain.cost_history import correct
from emr_autoscaler.domain.costs import IdleFigure, exact_sum
from emr_autoscaler.domain.focus import rows_of, rows_of_correction, rows_of_hour

MANDATORY = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
]
OWN = ["x_EmrClusterId", "x_CostCentre", "x_RecordStatus", "x_Revision", "x_IdleCost"]


def as_read(rows):
    """What somebody who opens the file reads."""
    return list(csv.DictReader(io.StringIO("".join(csv_lines(rows)))))


@pytest.fixture(scope="module")
def recorded():
    return RecordedWorld()


@pytest.fixture(scope="module")
def rows(recorded):
    return as_read(rows_of(recorded.records()))


def test_every_mandatory_column_and_our_own_are_there():
    assert set(MANDATORY + OWN) <= set(COLUMNS)
    assert len(set(COLUMNS)) == len(COLUMNS)


def test_nothing_mandatory_is_null_except_the_charge_class(rows):
    assert {row["ChargeClass"] for row in rows} == {""}
    assert [name for row in rows for name in MANDATORY if name != "ChargeClass" and not row[name]] == []


def test_quantity_times_unit_price_is_the_cost_to_the_last_digit(rows):
    for row in rows:
        quantity = Decimal(row["PricingQuantity"])
        assert quantity * Decimal(row["ListUnitPrice"]) == Decimal(row["ListCost"])
        assert quantity * Decimal(row["ContractedUnitPrice"]) == Decimal(row["ContractedCost"])
        assert quantity * Decimal(row["x_EffectiveUnitPrice"]) == Decimal(row["EffectiveCost"])


def test_the_file_adds_up_to_the_records(recorded, rows):
    assert exact_sum(Decimal(row["EffectiveCost"]) for row in rows) == recorded.spent()


def test_services_are_named_as_finance_knows_them(rows):
    named = {(r["ServiceName"], r["ServiceCategory"], r["PricingCategory"], r["PricingUnit"]) for r in rows}
    assert named == {
        ("Amazon EMR", "Analytics", "Standard", "Hours"),
        ("Amazon EC2", "Compute", "Standard", "Hours"),
        ("Amazon EC2", "Compute", "Dynamic", "Hours"),
        ("Amazon EBS", "Storage", "Standard", "GB-Months"),
    }


def test_periods_are_half_open_hours_in_calendar_months_in_utc(rows):
    assert {(row["BillingPeriodStart"], row["BillingPeriodEnd"]) for row in rows} == {
        ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
    }
    for row in rows:
        assert row["ChargePeriodStart"][14:] == "00:00Z"
        assert row["ChargePeriodStart"] < row["ChargePeriodEnd"]


def test_the_invoice_issuer_is_the_provider(rows):
    assert {(row["InvoiceIssuerName"], row["ProviderName"]) for row in rows} == {("AWS", "AWS")}


def test_a_resource_is_the_clusters_arn(recorded, rows):
    region, account = recorded.ports.region, recorded.ports.account_id
    expected = f"arn:aws:elasticmapreduce:{region}:{account}:cluster/{recorded.cluster_id}"
    assert {row["ResourceId"] for row in rows} == {expected}


def test_idle_cost_of_the_rows_is_the_idle_cost_of_the_hour():
    idle = IdleFigure(share=Decimal("0.333333333"), cost_usd=Decimal("1.333333332"), basis="12 samples")
    record = hour_record(lines=(cost_line("1"), cost_line("2"), cost_line("1")), idle=idle)
    assert exact_sum(row.x_idle_cost for row in rows_of_hour(record)) == idle.cost_usd


def test_a_correction_is_booked_in_the_open_month_and_says_so():
    before, after = hour_record(lines=(cost_line("5"),)), hour_record(lines=(cost_line("2"),), revision=2)
    rows = as_read(rows_of_correction(correct(before, after, "2026-11")))
    assert [row["EffectiveCost"] for row in rows] == ["-5", "2"]
    assert {row["ChargeClass"] for row in rows} == {"Correction"}
    assert {row["BillingPeriodStart"] for row in rows} == {"2026-11-01T00:00:00Z"}
    assert {row["ChargePeriodStart"] for row in rows} == {f"{T0:%Y-%m-%dT%H:%M:%SZ}"}
    assert {row["ConsumedQuantity"] for row in rows} == {""}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1E+3", "1000"),
        ("1.500", "1.5"),
        ("0E-9", "0"),
        ("-0.10", "-0.1"),
        ("100", "100"),
        ("1E-12", "0.000000000001"),
    ],
)
def test_numbers_are_written_in_full(number, text):
    assert plain_number(Decimal(number)) == text
