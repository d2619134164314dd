"""The price list API: products in the documents AWS publishes, one of several kinds for each type.

Beside the product an honest filter finds there are near ones (Windows, reserved capacity), so that a
filter that is too wide finds more than one.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from emr_simulator.catalogue import TYPES, VOLUMES, InstanceType
from emr_simulator.kernel import Kernel

EFFECTIVE = datetime(2026, 1, 1, tzinfo=UTC)
_OFFER, _RATE = "JRTCKXETXF", "6YS6EN2CT7"
_MIB_PER_GIB = 1024

_Attributes = dict[str, str]


class PricingApi:
    """The calls of the price list that the world answers."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._products = list(_all_products(kernel.settings.region))

    def get_products(self, service_code: str, filters: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
        """Return the products of a service whose attributes equal every filter (TERM_MATCH).

        Args:
            service_code: ElasticMapReduce or AmazonEC2; others have no products here.
            filters: Attribute values by name; productFamily, sku and serviceCode count as attributes.
        """
        self._kernel.calls["GetProducts"] += 1
        return tuple(
            document
            for code, fields, document in self._products
            if code == service_code and all(fields.get(name) == value for name, value in filters.items())
        )


def _all_products(region: str) -> Iterator[tuple[str, _Attributes, dict[str, Any]]]:
    for kind in TYPES.values():
        yield from _emr_products(kind, region)
        yield from _compute_products(kind, region)
    for name, price in VOLUMES.items():
        base = {"regionCode": region, "volumeApiName": name, "servicecode": "AmazonEC2"}
        storage = {**base, "usagetype": f"EBS:VolumeUsage.{name}"}
        yield _product("AmazonEC2", "Storage", storage, "GB-Mo", price.gib_usd)
        if price.iops_usd:
            iops = {**base, "group": "EBS IOPS", "usagetype": f"EBS:VolumeP-IOPS.{name}"}
            yield _product("AmazonEC2", "System Operation", iops, "IOPS-Mo", price.iops_usd)
        if price.mibps_usd:
            throughput = {**base, "group": "EBS Throughput", "usagetype": f"EBS:VolumeP-Throughput.{name}"}
            usd = price.mibps_usd * _MIB_PER_GIB
            yield _product("AmazonEC2", "Provisioned Throughput", throughput, "GiBps-mo", usd)


def _emr_products(kind: InstanceType, region: str) -> Iterator[tuple[str, _Attributes, dict[str, Any]]]:
    for software in ("EMR", "M7"):
        attributes = {
            "regionCode": region,
            "servicecode": "ElasticMapReduce",
            "instanceType": kind.name,
            "softwareType": software,
            "usagetype": f"BoxUsage:{kind.name}",
        }
        usd = kind.emr_fee_usd if software == "EMR" else kind.emr_fee_usd * 2
        yield _product("ElasticMapReduce", "Elastic Map Reduce Instance", attributes, "Hrs", usd)


def _compute_products(kind: InstanceType, region: str) -> Iterator[tuple[str, _Attributes, dict[str, Any]]]:
    for system, status, factor in (
        ("Linux", "Used", Decimal(1)),
        ("Linux", "UnusedCapacityReservation", Decimal(1)),
        ("Windows", "Used", Decimal("1.958")),
    ):
        attributes = {
            "regionCode": region,
            "servicecode": "AmazonEC2",
            "instanceType": kind.name,
            "operatingSystem": system,
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": status,
            "licenseModel": "No License required",
            "marketoption": "OnDemand",
            "operation": "RunInstances",
            "vcpu": str(kind.vcpus),
            "memory": f"{kind.memory_gib} GiB",
            "usagetype": f"{'BoxUsage' if status == 'Used' else 'UnusedBox'}:{kind.name}",
        }
        usd = kind.on_demand_usd * factor
        yield _product("AmazonEC2", "Compute Instance", attributes, "Hrs", usd)


def _product(
    service: str, family: str, attributes: _Attributes, unit: str, usd: Decimal
) -> tuple[str, _Attributes, dict[str, Any]]:
    name = "|".join([service, family, *(f"{key}={value}" for key, value in sorted(attributes.items()))])
    sku = hashlib.sha256(name.encode()).hexdigest()[:16].upper()
    term, rate = f"{sku}.{_OFFER}", f"{sku}.{_OFFER}.{_RATE}"
    effective = EFFECTIVE.strftime("%Y-%m-%dT%H:%M:%SZ")
    document: dict[str, Any] = {
        "product": {"productFamily": family, "attributes": attributes, "sku": sku},
        "serviceCode": service,
        "terms": {
            "OnDemand": {
                term: {
                    "offerTermCode": _OFFER,
                    "sku": sku,
                    "effectiveDate": effective,
                    "termAttributes": {},
                    "priceDimensions": {
                        rate: {
                            "rateCode": rate,
                            "unit": unit,
                            "beginRange": "0",
                            "endRange": "Inf",
                            "appliesTo": [],
                            "description": f"{usd} USD per {unit}",
                            "pricePerUnit": {"USD": f"{usd:.10f}"},
                        }
                    },
                }
            }
        },
        "version": EFFECTIVE.strftime("%Y%m%d%H%M%S"),
        "publicationDate": effective,
    }
    return service, {**attributes, "productFamily": family, "sku": sku, "serviceCode": service}, document
