"""The published price list: the port PriceList on GetProducts. Spot prices are EC2's, not here.

The price list endpoint exists in few regions (us-east-1 in the aws partition); the composition root
builds the client for one of them. The region a price is for is part of each key.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.domain.errors import PriceMissingError
from emr_autoscaler.domain.price_book import Component, Price, PriceKey

if TYPE_CHECKING:
    from mypy_boto3_pricing import PricingClient
    from mypy_boto3_pricing.type_defs import FilterTypeDef

# AWS's unit, lower case -> ours, and how many of ours make one of theirs.
_UNITS = {
    "hrs": ("Hours", Decimal(1)),
    "gb-mo": ("GB-Months", Decimal(1)),
    "iops-mo": ("IOPS-Months", Decimal(1)),
    "mibps-mo": ("MiBps-Months", Decimal(1)),
    "gibps-mo": ("MiBps-Months", Decimal(1024)),
}
# What an EBS item's extra is filed under, beside its volumeApiName.
_EBS_FAMILIES = {"": "Storage", "iops": "System Operation", "throughput": "Provisioned Throughput"}


@dataclass(frozen=True, slots=True)
class _Dimension:
    """One published price: a SKU may have several."""

    sku: str
    rate_code: str
    unit: str
    usd: str
    effective_from: str
    publication: str


class AwsPriceList:
    """PriceList on the AWS Price List API, one call a key."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(actions=("pricing:GetProducts",), why="keep the price book current"),
    )

    def __init__(self, client: "PricingClient") -> None:
        self._client = client

    def look_up(self, keys: Sequence[PriceKey]) -> tuple[Price, ...]:
        """Return one price per key, in order.

        Raises:
            PriceMissingError: None is published, or more than one is left; they are named.
        """
        prices = {key: self._price(key) for key in dict.fromkeys(keys)}
        return tuple(prices[key] for key in keys)

    def _price(self, key: PriceKey) -> Price:
        service, attributes = product_search(key)
        with domain_errors():
            answers = self._client.get_paginator("get_products").paginate(
                ServiceCode=service, Filters=_filters(attributes)
            )
            documents = [json.loads(document) for answer in answers for document in answer["PriceList"]]
        return single_price(key, documents)


def single_price(key: PriceKey, documents: Iterable[dict[str, Any]]) -> Price:
    """Return the one price that documents of the price list give for a key.

    Raises:
        PriceMissingError: They give none, more than one, or one per an unexpected unit.
    """
    service, attributes = product_search(key)
    asked = f"{service} {attributes}"
    found = [dimension for document in documents for dimension in _dimensions(document)]
    if not found:
        msg = f"no price is published for {asked}"
        raise PriceMissingError(msg)
    if len(found) > 1:
        names = ", ".join(f"{dimension.sku} ({dimension.rate_code})" for dimension in found)
        msg = f"{len(found)} prices are left for {asked}: {names}"
        raise PriceMissingError(msg)
    dimension = found[0]
    unit, factor = _UNITS.get(dimension.unit.lower(), (dimension.unit, Decimal(1)))
    if unit != _expected_unit(key):
        msg = f"SKU {dimension.sku} for {asked} is priced per {dimension.unit}, not {_expected_unit(key)}"
        raise PriceMissingError(msg)
    return Price(
        key=key,
        usd=Decimal(dimension.usd) / factor,
        unit=unit,
        effective_from=datetime.fromisoformat(dimension.effective_from).astimezone(UTC),
        source=(
            f"pricing:GetProducts {service} SKU {dimension.sku} rate {dimension.rate_code}"
            f" published {dimension.publication}"
        ),
    )


def product_search(key: PriceKey) -> tuple[str, dict[str, str]]:
    """Return the service code and the attributes that single out one SKU.

    Raises:
        PriceMissingError: The price list has no such prices at all (spot, for one).
    """
    if key.component is Component.EMR_FEE:
        return "ElasticMapReduce", {
            "regionCode": key.region,
            "productFamily": "Elastic Map Reduce Instance",
            "softwareType": "EMR",
            "instanceType": key.item,
        }
    if key.component is Component.EC2_ON_DEMAND:
        return "AmazonEC2", {
            "regionCode": key.region,
            "instanceType": key.item,
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
        }
    volume_type, _, extra = key.item.partition(":")
    if key.component is Component.EBS and extra in _EBS_FAMILIES:
        return "AmazonEC2", {
            "regionCode": key.region,
            "productFamily": _EBS_FAMILIES[extra],
            "volumeApiName": volume_type,
        }
    msg = f"the price list has no {key.component} price for {key.item}"
    raise PriceMissingError(msg)


def _filters(attributes: dict[str, str]) -> list["FilterTypeDef"]:
    return [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]


def _expected_unit(key: PriceKey) -> str:
    if key.component is not Component.EBS:
        return "Hours"
    _, _, extra = key.item.partition(":")
    return {"": "GB-Months", "iops": "IOPS-Months", "throughput": "MiBps-Months"}[extra]


def _dimensions(document: dict[str, Any]) -> Iterator[_Dimension]:
    """Yield every on-demand price in USD of one document of the price list."""
    sku = document["product"]["sku"]
    for term in document.get("terms", {}).get("OnDemand", {}).values():
        for rate_code, rate in term["priceDimensions"].items():
            usd = rate.get("pricePerUnit", {}).get("USD")
            if usd is not None:
                yield _Dimension(
                    sku=sku,
                    rate_code=rate.get("rateCode", rate_code),
                    unit=rate["unit"],
                    usd=usd,
                    effective_from=term["effectiveDate"],
                    publication=document.get("publicationDate", "unknown"),
                )
