"""Which service, operation and protocol an HTTP request means; what the operation does is in apis."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from urllib.parse import parse_qsl

import botocore.session
from botocore.model import ServiceModel

from emr_simulator.errors import ApiError

SERVICES = ("emr", "ec2", "cloudwatch", "pricing")
"""What the World speaks, by botocore's service names."""


class Protocol(StrEnum):
    """How a request is written, and so its answer."""

    JSON_1_0 = "JSON_1_0"
    JSON_1_1 = "JSON_1_1"
    CBOR = "CBOR"
    QUERY = "QUERY"
    EC2 = "EC2"

    @property
    def content_type(self) -> str:
        """The content type of answers."""
        return {
            Protocol.JSON_1_0: "application/x-amz-json-1.0",
            Protocol.JSON_1_1: "application/x-amz-json-1.1",
            Protocol.CBOR: "application/cbor",
            Protocol.QUERY: "text/xml",
            Protocol.EC2: "text/xml;charset=UTF-8",
        }[self]


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for, not yet read.

    Attributes:
        service: botocore's name of the service; empty where none is meant.
        operation: The operation's name as the request gives it.
        protocol: How it is written.
        form: The fields of a query form; empty for other protocols.
    """

    service: str
    operation: str
    protocol: Protocol
    form: Mapping[str, str]


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's own model of a service."""
    return botocore.session.get_session().get_service_model(service)


@cache
def _services_by(trait: str) -> Mapping[str, str]:
    """Return services by a trait of their model: targetPrefix or apiVersion."""
    return {
        service_model(service).metadata[trait]: service
        for service in SERVICES
        if trait in service_model(service).metadata
    }


def find_route(path: str, headers: Mapping[str, str], body: bytes) -> Route:
    """Find out what a POST means; header names are looked up in lower case.

    Raises:
        ApiError: It is none of the protocols, or none of the services.
    """
    parts = path.strip("/").split("/")
    if len(parts) == 4 and parts[0] == "service" and parts[2] == "operation":  # noqa: PLR2004 - Smithy's path
        return Route(_service(parts[1], "targetPrefix"), parts[3], Protocol.CBOR, {})
    target = headers.get("x-amz-target", "")
    if target:
        prefix, _, operation = target.rpartition(".")
        version_1_0 = headers.get("content-type", "").startswith("application/x-amz-json-1.0")
        protocol = Protocol.JSON_1_0 if version_1_0 else Protocol.JSON_1_1
        return Route(_service(prefix, "targetPrefix"), operation, protocol, {})
    try:
        form = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    except UnicodeDecodeError as error:
        msg = "the body is no form, and no header names an operation"
        raise ApiError("MissingAction", msg) from error
    if "Action" not in form:
        raise ApiError("MissingAction", "neither a header nor a form names an operation")
    service = _service(form.get("Version", ""), "apiVersion")
    return Route(service, form["Action"], Protocol.EC2 if service == "ec2" else Protocol.QUERY, form)


def _service(name: str, trait: str) -> str:
    services = _services_by(trait)
    if name not in services:
        msg = f"{name!r} is no service of this simulator; it speaks {', '.join(sorted(services))}"
        raise ApiError("UnknownOperationException", msg, 404)
    return services[name]
