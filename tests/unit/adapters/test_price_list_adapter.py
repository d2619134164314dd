import json
from decimal import Decimal

import pytest

from emr_autoscaler.adapters.price_list import AwsPriceList, product_search, single_price
from emr_autoscaler.domain.errors import PriceMissingError
from emr_autoscaler.domain.price_book import Component, PriceKey


def key(component, item):
    return PriceKey(component=component, region="eu-west-1", item=item)


COMPUTE = key(Component.EC2_ON_DEMAND, "m5.xlarge")


def document(sku="AAAA", *, unit="Hrs", usd="0.2140000000", rates=1, currency="USD"):
    dimensions = {
        f"{sku}.TERM.R{number}": {
            "rateCode": f"{sku}.TERM.R{number}",
            "unit": unit,
            "pricePerUnit": {currency: usd},
        }
        for number in range(rates)
    }
    term = {"effectiveDate": "2026-10-01T00:00:00Z", "priceDimensions": dimensions}
    return {
        "product": {"sku": sku, "attributes": {}},
        "terms": {"OnDemand": {f"{sku}.TERM": term}, "Reserved": {"x": {}}},
        "publicationDate": "2026-10-02T10:00:00Z",
    }


def test_a_price_names_sku_rate_and_publication():
    price = single_price(COMPUTE, [document()])
    assert price.usd == Decimal("0.214")
    assert price.source == (
        "pricing:GetProducts AmazonEC2 SKU AAAA rate AAAA.TERM.R0 published 2026-10-02T10:00:00Z"
    )
    assert price.effective_from.isoformat() == "2026-10-01T00:00:00+00:00"


def test_two_skus_are_named_and_neither_is_guessed():
    with pytest.raises(PriceMissingError, match=r"AAAA.*BBBB"):
        single_price(COMPUTE, [document("AAAA"), document("BBBB")])


def test_two_price_dimensions_are_named_and_neither_is_guessed():
    with pytest.raises(PriceMissingError, match=r"R0.*R1"):
        single_price(key(Component.EBS, "io2:iops"), [document(unit="IOPS-Mo", rates=2)])


def test_a_price_in_another_currency_is_missing():
    with pytest.raises(PriceMissingError, match="no price"):
        single_price(COMPUTE, [document(currency="CNY")])


def test_a_price_per_an_unexpected_unit_is_missing():
    with pytest.raises(PriceMissingError, match="Quantity"):
        single_price(COMPUTE, [document(unit="Quantity")])


def test_a_product_without_terms_is_missing():
    with pytest.raises(PriceMissingError):
        single_price(COMPUTE, [{"product": {"sku": "AAAA"}, "terms": {}}])


def test_gibps_become_mibps_exactly():
    price = single_price(key(Component.EBS, "gp3:throughput"), [document(unit="GiBps-mo", usd="40.96")])
    assert (price.usd, price.unit) == (Decimal("0.04"), "MiBps-Months")


@pytest.mark.parametrize(
    ("wanted", "service", "attributes"),
    [
        (
            key(Component.EMR_FEE, "m5.xlarge"),
            "ElasticMapReduce",
            {
                "regionCode": "eu-west-1",
                "productFamily": "Elastic Map Reduce Instance",
                "softwareType": "EMR",
                "instanceType": "m5.xlarge",
            },
        ),
        (
            COMPUTE,
            "AmazonEC2",
            {
                "regionCode": "eu-west-1",
                "instanceType": "m5.xlarge",
                "operatingSystem": "Linux",
                "tenancy": "Shared",
                "preInstalledSw": "NA",
                "capacitystatus": "Used",
            },
        ),
        (
            key(Component.EBS, "gp3"),
            "AmazonEC2",
            {"regionCode": "eu-west-1", "productFamily": "Storage", "volumeApiName": "gp3"},
        ),
    ],
)
def test_each_component_is_searched_by_its_own_attributes(wanted, service, attributes):
    assert product_search(wanted) == (service, attributes)


def test_products_are_read_over_all_pages(stubbed):
    client, stub = stubbed("pricing")
    filters = [
        {"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in product_search(COMPUTE)[1].items()
    ]
    asked = {"ServiceCode": "AmazonEC2", "Filters": filters}
    stub.add_response("get_products", {"PriceList": [], "NextToken": "next"}, asked)
    stub.add_response("get_products", {"PriceList": [json.dumps(document())]}, {**asked, "NextToken": "next"})
    (price,) = AwsPriceList(client).look_up([COMPUTE])
    assert price.usd == Decimal("0.214")
