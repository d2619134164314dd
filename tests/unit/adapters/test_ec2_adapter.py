from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from emr_autoscaler.adapters.ec2 import Ec2Compute
from emr_autoscaler.domain.cluster import Market

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


def instance(**changes):
    return {"InstanceId": "i-1", "InstanceType": "m5.xlarge", "LaunchTime": NOON, **changes}


def find(stubbed, shown):
    client, stub = stubbed("ec2")
    answer = {"Reservations": [{"Instances": [shown]}]}
    stub.add_response("describe_instances", answer, {"Filters": [{"Name": "instance-id", "Values": ["i-1"]}]})
    (found,) = Ec2Compute(client).find_instances(["i-1"])
    return found


def test_a_sparse_description_is_enough(stubbed):
    found = find(stubbed, instance())
    assert (found.cluster_id, found.role, found.market) == (None, None, Market.ON_DEMAND)
    assert (found.availability_zone, found.interrupted) == ("", False)


def test_a_role_that_nobody_knows_is_none(stubbed):
    tags = [{"Key": "aws:elasticmapreduce:instance-group-role", "Value": "GATEWAY"}]
    assert find(stubbed, instance(Tags=tags)).role is None


@pytest.mark.parametrize(
    ("code", "interrupted"),
    [
        ("Server.SpotInstanceTermination", True),
        ("Server.SpotInstanceShutdown", True),
        ("Client.UserInitiatedShutdown", False),
        ("Server.InternalError", False),
    ],
)
def test_only_the_state_reason_proves_an_interruption(stubbed, code, interrupted):
    found = find(stubbed, instance(InstanceLifecycle="spot", StateReason={"Code": code}))
    assert found.market is Market.SPOT
    assert found.interrupted is interrupted


def test_an_empty_page_with_a_token_is_not_the_end(stubbed):
    client, stub = stubbed("ec2")
    asked = {
        "InstanceTypes": ["m5.xlarge"],
        "AvailabilityZone": "us-east-1a",
        "ProductDescriptions": ["Linux/UNIX"],
        "StartTime": NOON,
        "EndTime": NOON + timedelta(hours=1),
    }
    step = {
        "InstanceType": "m5.xlarge",
        "AvailabilityZone": "us-east-1a",
        "SpotPrice": "0.070100",
        "Timestamp": NOON,
    }
    late = {**step, "Timestamp": NOON + timedelta(hours=1)}
    stub.add_response("describe_spot_price_history", {"SpotPriceHistory": [], "NextToken": "next"}, asked)
    stub.add_response(
        "describe_spot_price_history",
        {"SpotPriceHistory": [late, step, step], "NextToken": ""},
        {**asked, "NextToken": "next"},
    )
    (price,) = Ec2Compute(client).spot_prices(
        ["m5.xlarge"], "us-east-1a", start=NOON, end=NOON + timedelta(hours=1)
    )
    assert (price.usd, price.effective_from) == (Decimal("0.0701"), NOON)
