"""Results and errors to answer bodies, by the service model: JSON, CBOR and the two XML forms."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from emr_simulator.errors import ApiError
from emr_simulator.wire import cbor
from emr_simulator.wire.routing import Protocol

_SERVER_FAULT = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def write_result(protocol: Protocol, operation: OperationModel, result: dict[str, Any], request_id: str) -> Answer:
    """Write what an operation returned, in the protocol of its request."""
    shape = operation.output_shape
    if protocol in {Protocol.JSON_1_0, Protocol.JSON_1_1}:
        body = json.dumps({} if shape is None else _to_json(shape, result)).encode()
        return _answer(protocol, 200, body, request_id)
    if protocol is Protocol.CBOR:
        return _answer(protocol, 200, cbor.encode({} if shape is None else _by_shape(shape, result)), request_id)
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    root = ET.Element(f"{operation.name}Response", xmlns=namespace)
    if protocol is Protocol.EC2:
        ET.SubElement(root, "requestId").text = request_id
        if shape is not None:
            _to_xml(root, shape, result)
    else:
        if shape is not None:
            wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
            _to_xml(ET.SubElement(root, wrapper), shape, result)
        metadata = ET.SubElement(root, "ResponseMetadata")
        ET.SubElement(metadata, "RequestId").text = request_id
    return _answer(protocol, 200, _document(root), request_id)


def write_error(protocol: Protocol, error: ApiError, request_id: str) -> Answer:
    """Write an error, in the protocol of its request."""
    side = "Receiver" if error.status >= _SERVER_FAULT else "Sender"
    if protocol in {Protocol.JSON_1_0, Protocol.JSON_1_1, Protocol.CBOR}:
        said = {"__type": error.code, "message": error.message}
        body = cbor.encode(said) if protocol is Protocol.CBOR else json.dumps(said).encode()
        # Services that once spoke the query protocol (CloudWatch) keep its codes in a header.
        once_query = {} if protocol is Protocol.JSON_1_1 else {"x-amzn-query-error": f"{error.code};{side}"}
        return _answer(protocol, error.status, body, request_id, once_query)
    if protocol is Protocol.EC2:
        root = ET.Element("Response")
        details = ET.SubElement(ET.SubElement(root, "Errors"), "Error")
        ET.SubElement(root, "RequestID").text = request_id
    else:
        root = ET.Element("ErrorResponse")
        details = ET.SubElement(root, "Error")
        ET.SubElement(details, "Type").text = side
        ET.SubElement(root, "RequestId").text = request_id
    ET.SubElement(details, "Code").text = error.code
    ET.SubElement(details, "Message").text = error.message
    return _answer(protocol, error.status, _document(root), request_id)


def _answer(
    protocol: Protocol, status: int, body: bytes, request_id: str, extra: Mapping[str, str] | None = None
) -> Answer:
    headers = {"Content-Type": protocol.content_type, "x-amzn-RequestId": request_id, **(extra or {})}
    if protocol is Protocol.CBOR:
        headers["smithy-protocol"] = "rpc-v2-cbor"
    return Answer(status, body, headers)


def _document(root: ET.Element) -> bytes:
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _by_shape(shape: Shape, value: Any) -> Any:  # noqa: ANN401 - the result's own types
    """Turn numbers into the type the shape gives them; CBOR tells integers and doubles apart."""
    if isinstance(shape, StructureShape):
        return {name: _by_shape(shape.members[name], item) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [_by_shape(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _by_shape(shape.value, item) for key, item in value.items()}
    return float(value) if shape.type_name in {"float", "double"} else value


def _to_json(shape: Shape, value: Any) -> Any:  # noqa: ANN401 - the result's own types
    if isinstance(shape, StructureShape):
        return {
            shape.members[name].serialization.get("name", name): _to_json(shape.members[name], item)
            for name, item in value.items()
        }
    if isinstance(shape, ListShape):
        return [_to_json(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _to_json(shape.value, item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def _to_xml(parent: ET.Element, shape: Shape, value: Any) -> None:  # noqa: ANN401 - the result's own types
    """Write ``value`` inside ``parent``."""
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            _member_to_xml(parent, shape.members[name], name, item)
    elif isinstance(shape, ListShape):
        for item in value:
            _to_xml(ET.SubElement(parent, shape.member.serialization.get("name", "member")), shape.member, item)
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            entry = ET.SubElement(parent, "entry")
            ET.SubElement(entry, shape.key.serialization.get("name", "key")).text = key
            _to_xml(ET.SubElement(entry, shape.value.serialization.get("name", "value")), shape.value, item)
    else:
        parent.text = _to_text(value)


def _member_to_xml(parent: ET.Element, shape: Shape, name: str, value: Any) -> None:  # noqa: ANN401 - as above
    tag = shape.serialization.get("name", name)
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        for item in value:
            _to_xml(ET.SubElement(parent, tag), shape.member, item)
        return
    _to_xml(ET.SubElement(parent, tag), shape, value)


def _to_text(value: Any) -> str:  # noqa: ANN401 - a scalar
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)
