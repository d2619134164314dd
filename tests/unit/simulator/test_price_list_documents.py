import pytest
from tests.support.simulated import a_world

EC2 = {
    "regionCode": "us-east-1",
    "instanceType": "m5.xlarge",
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}
EMR = {
    "regionCode": "us-east-1",
    "productFamily": "Elastic Map Reduce Instance",
    "softwareType": "EMR",
    "instanceType": "m5.xlarge",
}
EBS = {"regionCode": "us-east-1", "productFamily": "Storage", "volumeApiName": "gp3"}


@pytest.mark.parametrize(
    ("service", "filters", "usd", "unit"),
    [
        ("AmazonEC2", EC2, "0.1920000000", "Hrs"),
        ("ElasticMapReduce", EMR, "0.0480000000", "Hrs"),
        ("AmazonEC2", EBS, "0.0800000000", "GB-Mo"),
    ],
)
def test_the_documented_filters_leave_one_product_with_one_price(service, filters, usd, unit):
    (document,) = a_world().pricing.get_products(service, filters)
    (term,) = document["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    assert (dimension["pricePerUnit"], dimension["unit"]) == ({"USD": usd}, unit)
    assert term["effectiveDate"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("forgotten", ["operatingSystem", "capacitystatus", "instanceType"])
def test_a_filter_that_is_too_wide_finds_more_than_one(forgotten):
    filters = {key: value for key, value in EC2.items() if key != forgotten}
    assert len(a_world().pricing.get_products("AmazonEC2", filters)) > 1


def test_an_unknown_type_or_service_has_no_product():
    world = a_world()
    assert world.pricing.get_products("AmazonEC2", {**EC2, "instanceType": "x9.huge"}) == ()
    assert world.pricing.get_products("AmazonS3", {}) == ()
