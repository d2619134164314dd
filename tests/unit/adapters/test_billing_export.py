"""AWS's billing export on S3: CSV and Parquet, CUR 2.0 and FOCUS; and what is held of it in memory."""

import csv
import gzip
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from arro3.core import Array, DataType, RecordBatch
from arro3.io import write_parquet
from moto import mock_aws

from emr_autoscaler.adapters.bill_spool import BillSpool
from emr_autoscaler.adapters.billing_export import S3BillingExport
from emr_autoscaler.domain.errors import InvalidInputError
from emr_autoscaler.domain.price_book import Component
from emr_autoscaler.domain.reconciliation import BilledAmount, BillKey

HOUR = datetime(2026, 10, 5, 13, tzinfo=UTC)
CLUSTER = "j-2AXXXXXXGAPLF"
ARN = f"arn:aws:elasticmapreduce:eu-central-1:123456789012:cluster/{CLUSTER}"
BUCKET = "finance"
BILLS = Path(__file__).parents[2] / "support/bills"


@pytest.fixture
def s3():
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_bucket(Bucket=BUCKET)
        yield client


CUR = {
    "line_item_usage_start_date": "2026-10-05 13:00:00.000",
    "line_item_product_code": "ElasticMapReduce",
    "line_item_usage_type": "EUC1-BoxUsage:m5.xlarge",
    "line_item_line_item_type": "Usage",
    "line_item_resource_id": ARN,
    "line_item_unblended_cost": "0.048",
    "savings_plan_savings_plan_effective_cost": "",
    "reservation_effective_cost": "",
    "resource_tags": "",
}
EC2 = {
    "line_item_product_code": "AmazonEC2",
    "line_item_resource_id": "i-0abc",
    "resource_tags": json.dumps({"aws_elasticmapreduce_job_flow_id": CLUSTER}),
}


def put(s3, rows, key="exports/data/BILLING_PERIOD=2026-10/x-00001.csv.gz"):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    raw = text.getvalue().encode()
    s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(raw) if key.endswith(".gz") else raw)


def amounts(s3, month="2026-10"):
    days = S3BillingExport(s3, BUCKET, "exports/").days(month)
    return {
        (key.cluster_id, key.hour, key.component): amount.effective_usd
        for _day, found in days
        for key, amount in found.items()
    }


def test_without_a_bucket_there_is_no_bill(s3):
    assert list(S3BillingExport(s3, "", "").days("2026-10")) == []


def test_lines_of_a_cluster_hour_are_added_up_by_component(s3):
    put(
        s3,
        [
            CUR,
            CUR,
            {**CUR, **EC2, "line_item_unblended_cost": "0.2"},
            {**CUR, **EC2, "line_item_usage_type": "EUC1-SpotUsage:m5.xlarge", "line_item_unblended_cost": "0.07"},
            {
                **CUR,
                **EC2,
                "line_item_usage_type": "EUC1-EBS:VolumeUsage.gp3",
                "line_item_unblended_cost": "0.001",
            },
        ],
    )
    assert amounts(s3) == {
        (CLUSTER, HOUR, Component.EMR_FEE): Decimal("0.096"),
        (CLUSTER, HOUR, Component.EC2_ON_DEMAND): Decimal("0.2"),
        (CLUSTER, HOUR, Component.EC2_SPOT): Decimal("0.07"),
        (CLUSTER, HOUR, Component.EBS): Decimal("0.001"),
    }


def test_covered_use_costs_what_the_commitment_says(s3):
    plan = {
        "line_item_line_item_type": "SavingsPlanCoveredUsage",
        "savings_plan_savings_plan_effective_cost": "0.1",
    }
    reserved = {"line_item_line_item_type": "DiscountedUsage", "reservation_effective_cost": "0.05"}
    put(s3, [{**CUR, **EC2, **plan}, {**CUR, **EC2, **reserved}])
    assert amounts(s3) == {(CLUSTER, HOUR, Component.EC2_ON_DEMAND): Decimal("0.15")}


def test_lines_of_other_things_and_nulls_are_no_trouble(s3):
    put(
        s3,
        [
            {**CUR, "line_item_line_item_type": "Tax"},
            {**CUR, "line_item_product_code": "AmazonS3"},
            {**CUR, **EC2, "resource_tags": ""},
            {**CUR, **EC2, "resource_tags": "no json"},
            {**CUR, **EC2, "line_item_usage_type": "EUC1-DataTransfer-Out-Bytes"},
            {**CUR, "line_item_usage_start_date": ""},
            {**CUR, "line_item_unblended_cost": ""},
        ],
    )
    assert amounts(s3) == {(CLUSTER, HOUR, Component.EMR_FEE): Decimal(0)}


def test_only_the_newest_version_of_a_month_counts(s3):
    put(s3, [CUR], key="exports/data/BILLING_PERIOD=2026-10/2026-10-06T00-1/x.csv")
    put(
        s3,
        [{**CUR, "line_item_unblended_cost": "9"}],
        key="exports/data/BILLING_PERIOD=2026-10/2026-10-07T00-2/x.csv",
    )
    put(s3, [CUR], key="exports/data/BILLING_PERIOD=2026-09/x.csv")
    assert list(amounts(s3).values()) == [Decimal(9)]


def test_an_export_without_resource_ids_is_refused_by_name(s3):
    put(s3, [{name: value for name, value in CUR.items() if name != "line_item_resource_id"}])
    with pytest.raises(InvalidInputError, match="line_item_resource_id"):
        amounts(s3)


def test_an_amount_that_is_no_number_is_refused(s3):
    put(s3, [{**CUR, "line_item_unblended_cost": "many"}])
    with pytest.raises(InvalidInputError, match="many"):
        amounts(s3)


def test_focus_exports_are_read_as_well(s3):
    row = {
        "ChargePeriodStart": "2026-10-05T13:00:00Z",
        "ChargeCategory": "Usage",
        "EffectiveCost": "0.2",
        "ResourceId": "i-0abc",
        "x_ServiceCode": "AmazonEC2",
        "x_UsageType": "EUC1-BoxUsage:m5.xlarge",
        "Tags": json.dumps({"aws:elasticmapreduce:job-flow-id": CLUSTER}),
    }
    put(s3, [row, {**row, "ChargeCategory": "Tax"}])
    ((day, found),) = S3BillingExport(s3, BUCKET, "exports/").days("2026-10")
    assert day == HOUR.date()
    assert found == {
        BillKey(cluster_id=CLUSTER, hour=HOUR, component=Component.EC2_ON_DEMAND): BilledAmount(
            effective_usd=Decimal("0.2"), line_items=1, source="exports/data/BILLING_PERIOD=2026-10/x-00001.csv.gz"
        )
    }


# --------------------------------------------------------------------------- Parquet


def put_file(s3, name):
    s3.put_object(
        Bucket=BUCKET, Key=f"exports/data/BILLING_PERIOD=2026-10/{name}", Body=(BILLS / name).read_bytes()
    )


def test_cur_in_parquet_is_read_with_its_nulls_and_maps(s3):
    put_file(s3, "cur.parquet")
    assert amounts(s3) == {
        (CLUSTER, HOUR, Component.EMR_FEE): Decimal("0.0492345678901234"),
        (CLUSTER, HOUR, Component.EC2_ON_DEMAND): Decimal("0.15"),
        (CLUSTER, HOUR, Component.EC2_SPOT): Decimal("0.0000001"),
        (CLUSTER, HOUR, Component.EBS): Decimal(0),
    }


def test_focus_in_parquet_is_read_with_exact_decimals(s3):
    put_file(s3, "focus.parquet")
    assert amounts(s3) == {
        (CLUSTER, HOUR, Component.EMR_FEE): Decimal("0.048"),
        (CLUSTER, HOUR, Component.EC2_ON_DEMAND): Decimal("0.200000000001"),
    }


def in_parquet(rows, **options):
    columns = {name: Array([row[name] for row in rows], type=DataType.string()) for name in rows[0]}
    file = io.BytesIO()
    write_parquet(RecordBatch.from_pydict(columns), file, **options)
    return file.getvalue()


@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "gzip(6)", "zstd(3)"])
@pytest.mark.parametrize("version", ["parquet_1_0", "parquet_2_0"])
def test_parquet_says_what_csv_says_however_it_is_packed(s3, compression, version):
    rows = [CUR, {**CUR, **EC2}, {**CUR, "line_item_line_item_type": "Tax"}]
    put(s3, rows)
    told = amounts(s3)
    s3.delete_object(Bucket=BUCKET, Key="exports/data/BILLING_PERIOD=2026-10/x-00001.csv.gz")
    body = in_parquet(rows, compression=compression, writer_version=version)
    s3.put_object(Bucket=BUCKET, Key="exports/data/BILLING_PERIOD=2026-10/x-00001.snappy.parquet", Body=body)
    assert amounts(s3) == told != {}


def test_a_parquet_export_without_resource_ids_is_refused_by_name(s3):
    body = in_parquet([{name: value for name, value in CUR.items() if name != "line_item_resource_id"}])
    s3.put_object(Bucket=BUCKET, Key="exports/BILLING_PERIOD=2026-10/x.parquet", Body=body)
    with pytest.raises(InvalidInputError, match="line_item_resource_id"):
        amounts(s3)


# --------------------------------------------------------------------------- memory


def amount_at(number):
    return BillKey(
        cluster_id=f"j-{number % 50}", hour=HOUR + timedelta(hours=number % 72), component=Component.EMR_FEE
    )


def test_days_come_in_order_and_add_up_whatever_went_to_disk():
    with BillSpool(keys_in_memory=7) as spool:
        for number in range(5000, 0, -1):
            spool.add(amount_at(number), Decimal("0.01"), f"file-{number // 2500}")
        days = [(day, dict(found)) for day, found in spool.days()]
    assert [day.day for day, _ in days] == [5, 6, 7, 8]
    assert sum(a.effective_usd for _, found in days for a in found.values()) == Decimal(50)
    assert sum(a.line_items for _, found in days for a in found.values()) == 5000


def test_a_month_is_never_held_in_memory():
    """The whole of it would take over 100 MB; one day and what waits for the disk take a fraction."""
    with BillSpool(keys_in_memory=2_000) as spool:
        tracemalloc.start()
        for number in range(60_000):
            key = BillKey(
                cluster_id=f"j-{number % 200}",
                hour=datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=number // 200),
                component=Component.EC2_SPOT,
            )
            spool.add(key, Decimal("0.01"), "a-file-name-as-long-as-they-are-in-exports.csv.gz")
        count = sum(len(found) for _day, found in spool.days())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 60_000
    assert peak < 8_000_000
