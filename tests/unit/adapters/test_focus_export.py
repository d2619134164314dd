"""The mandatory rules of FOCUS 1.2 that our export can break, checked on a recorded cluster."""

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.finance import RecordedWorld, rows_of
from tests.support.samples import T0, cost_line, hour_record

from emr_autoscaler.adapters.focus_csv import COLUMNS, csv_lines, plain_number
from emr_autoscaler.domain.cost_history import HourRevision, correct
from emr_autoscaler.domain.costs import IdleFigure, exact_sum
from emr_autoscaler.domain.focus import rows_of_correction, rows_of_hour
from emr_autoscaler.domain.savings import Savings, ScalingSaving

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
SERVICES = ("Amazon EMR", "Amazon EC2", "Amazon EBS")
OWN = ["x_EmrClusterId", "x_CostCentre", "x_RecordStatus", "x_Revision", "x_IdleCost"]


def as_read(rows):
    """What somebody who opens the file reads."""
    return list(csv.DictReader(io.StringIO("".join(csv_lines(rows)))))


@pytest.fixture(scope="module")
def recorded():
    return RecordedWorld()


@pytest.fixture(scope="module")
def rows(recorded):
    return as_read(rows_of(recorded.traced()))


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


def test_the_emr_fee_is_the_clusters_and_everything_else_an_instances_or_a_volumes(recorded, rows):
    region, account = recorded.ports.region, recorded.ports.account_id
    arn = f"arn:aws:elasticmapreduce:{region}:{account}:cluster/{recorded.cluster_id}"
    begins = {"Amazon EMR": arn, "Amazon EC2": "i-", "Amazon EBS": "vol-"}
    assert all(row["ResourceId"].startswith(begins[row["ServiceName"]]) for row in rows)
    assert {row["ResourceType"] for row in rows} == {"EMR cluster", "EC2 instance", "EBS volume"}


def test_every_instance_and_volume_of_the_world_is_there(recorded, rows):
    nodes = list(recorded.world.inside(recorded.cluster_id).nodes())
    ids = {service: {row["ResourceId"] for row in rows if row["ServiceName"] == service} for service in SERVICES}
    assert ids["Amazon EC2"] == {node.ec2_id for node in nodes}
    assert ids["Amazon EBS"] == {volume.volume_id for node in nodes for volume in node.volumes}


def test_a_resource_has_one_row_for_each_hour_and_price(rows):
    counted = Counter(
        (r["ResourceId"], r["ChargePeriodStart"], r["SkuPriceId"], r["x_PriceSource"])
        for r in rows
        if r["ServiceName"] != "Amazon EMR"
    )
    assert set(counted.values()) == {1}


def test_the_rows_of_a_line_add_up_to_it_to_the_last_digit(recorded):
    for revision in recorded.traced():
        rows = list(rows_of_hour(revision))
        for line in revision.record.lines:
            parts = [
                row
                for row in rows
                if (
                    row.x_instance_group_id,
                    row.sku_id.split("/")[0],
                    row.sku_id.split("/")[2],
                    row.x_price_source,
                )
                == (line.group_id, line.component.value, line.item, line.price_source)
            ]
            assert exact_sum(row.pricing_quantity for row in parts) == line.quantity
            assert exact_sum(row.consumed_quantity for row in parts) == line.measured_quantity
            assert exact_sum(row.list_cost for row in parts) == line.list_cost_usd
            assert exact_sum(row.contracted_cost for row in parts) == line.contracted_cost_usd
            assert exact_sum(row.effective_cost for row in parts) == line.effective_cost_usd


def test_a_volume_whose_id_nobody_saw_is_told_apart_by_its_instance(recorded):
    (first, *_) = recorded.traced()
    unseen = replace(
        first, instances=tuple(replace(p, instance=replace(p.instance, volume_ids=())) for p in first.instances)
    )
    ids = {row.resource_id for row in rows_of_hour(unseen) if row.service_name == "Amazon EBS"}
    assert all(re.fullmatch(r"i-[0-9a-f]+/volume-[0-9]", resource_id) for resource_id in ids)
    assert len(ids) == sum(len(part.instance.volumes) for part in first.instances)


def test_an_hour_without_instances_keeps_its_lines_whole():
    record = hour_record(lines=(cost_line("1"), cost_line("2")))
    rows = list(rows_of_hour(HourRevision(record=record)))
    assert [row.effective_cost for row in rows] == [Decimal(1), Decimal(2)]
    assert {row.resource_type for row in rows} == {"EMR cluster"}


def test_a_correction_names_the_instances_it_takes_back(recorded):
    (before, *_) = recorded.traced()
    after = replace(before, record=replace(before.record, lines=before.record.lines[1:], revision=2))
    correction = correct(before.record, after.record, "2026-11")
    rows = list(rows_of_correction(correction, before, after))
    assert exact_sum(row.effective_cost for row in rows) == -before.record.lines[0].effective_cost_usd
    assert {row.resource_type for row in rows} < {"EC2 instance", "EBS volume", "EMR cluster"}


def test_what_an_hour_saved_stands_in_its_first_row(recorded):
    (first, *_) = recorded.traced()
    scaling = ScalingSaving(
        saved_usd=Decimal("1.5"),
        baseline_list_usd=Decimal(9),
        reference_hour=T0,
        paid_share=Decimal(1),
        scaled_in_at=T0,
    )
    saved = replace(first, record=replace(first.record, savings=Savings(scaling=scaling)))
    head, *others = rows_of_hour(saved)
    assert (head.x_scaling_saving, head.x_reaping_saving) == (Decimal("1.5"), Decimal(0))
    assert {(row.x_scaling_saving, row.x_reaping_saving) for row in others} == {(None, None)}


def test_idle_cost_of_the_rows_is_the_idle_cost_of_the_hour():
    idle = IdleFigure(share=Decimal("0.333333333"), cost_usd=Decimal("1.333333332"), basis="12 samples")
    record = hour_record(lines=(cost_line("1"), cost_line("2"), cost_line("1")), idle=idle)
    assert exact_sum(row.x_idle_cost for row in rows_of_hour(HourRevision(record=record))) == idle.cost_usd


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
