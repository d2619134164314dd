from decimal import Decimal

import pytest

from emr_autoscaler.domain.errors import PriceMissingError
from emr_autoscaler.domain.price_book import Component, PriceKey
from emr_simulator.catalogue import TYPES, VOLUMES

REGION = "us-east-1"


def key(component, item, *, region=REGION, zone=""):
    return PriceKey(component=component, region=region, item=item, availability_zone=zone)


def test_one_price_comes_for_each_key_in_order(aws):
    keys = [
        key(Component.EC2_ON_DEMAND, "m5.xlarge"),
        key(Component.EMR_FEE, "m5.xlarge"),
        key(Component.EBS, "gp2"),
        key(Component.EC2_ON_DEMAND, "m5.xlarge"),
    ]
    prices = aws.prices.look_up(keys)
    assert [p.key for p in prices] == keys
    assert [p.usd for p in prices] == [
        TYPES["m5.xlarge"].on_demand_usd,
        TYPES["m5.xlarge"].emr_fee_usd,
        VOLUMES["gp2"].gib_usd,
        TYPES["m5.xlarge"].on_demand_usd,
    ]
    assert [p.unit for p in prices] == ["Hours", "Hours", "GB-Months", "Hours"]


def test_what_gp3_has_beyond_its_baseline_is_priced_per_iops_and_mibps(aws):
    iops, throughput = aws.prices.look_up([key(Component.EBS, "gp3:iops"), key(Component.EBS, "gp3:throughput")])
    assert (iops.usd, iops.unit) == (Decimal("0.005"), "IOPS-Months")
    assert (throughput.usd, throughput.unit) == (Decimal("0.04"), "MiBps-Months")


def test_a_price_says_where_it_comes_from_and_since_when(aws):
    (price,) = aws.prices.look_up([key(Component.EMR_FEE, "m5.xlarge")])
    assert "ElasticMapReduce SKU " in price.source
    assert "published " in price.source
    assert price.effective_from.utcoffset() is not None


@pytest.mark.parametrize(
    "wanted",
    [
        key(Component.EC2_ON_DEMAND, "z9.huge"),
        key(Component.EMR_FEE, "z9.huge"),
        key(Component.EBS, "gp9"),
        key(Component.EBS, "gp2:iops"),
        key(Component.EBS, "gp3:colour"),
        key(Component.EC2_ON_DEMAND, "m5.xlarge", region="mars-north-1"),
        key(Component.EC2_SPOT, "m5.xlarge", zone="us-east-1a"),
    ],
    ids=lambda wanted: f"{wanted.component}-{wanted.item}-{wanted.region}",
)
def test_a_price_that_is_not_published_is_missing(aws, wanted):
    with pytest.raises(PriceMissingError, match=wanted.item.partition(":")[0]):
        aws.prices.look_up([key(Component.EMR_FEE, "m5.xlarge"), wanted])


def test_no_keys_have_no_prices(aws):
    assert aws.prices.look_up([]) == ()
