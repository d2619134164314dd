"""One call from request to answer: route, read, check, run on the World, check again, write. No sockets."""

import uuid
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any
from typing import Protocol as Interface

from botocore.model import OperationModel, OperationNotFoundError

from emr_simulator.errors import ApiError
from emr_simulator.wire import cbor
from emr_simulator.wire.checking import Fault, Problem, problems
from emr_simulator.wire.reading import FormReader, read_json
from emr_simulator.wire.routing import Protocol, Route, find_route, service_model
from emr_simulator.wire.writing import Answer, write_error, write_result

# The code each service answers a malformed request with.
_INVALID_CODES: Mapping[str, Mapping[Fault, str]] = {
    "emr": dict.fromkeys(Fault, "ValidationException"),
    "pricing": dict.fromkeys(Fault, "InvalidParameterException"),
    "cloudwatch": {
        Fault.UNKNOWN: "ValidationError",
        Fault.MISSING: "MissingParameter",
        Fault.TYPE: "ValidationError",
        Fault.VALUE: "InvalidParameterValue",
    },
    "ec2": {
        Fault.UNKNOWN: "UnknownParameter",
        Fault.MISSING: "MissingParameter",
        Fault.TYPE: "InvalidParameterValue",
        Fault.VALUE: "InvalidParameterValue",
    },
}


class Operations(Interface):
    """The operations of one service, dict-shaped."""

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Run an operation; parameters and result are shaped as botocore shapes them."""
        ...

    def knows(self, operation: str) -> bool:
        """Return whether the operation is simulated."""
        ...


class Dispatcher:
    """Answers calls, one at a time.

    Attributes:
        lock: Held while the World is read or changed.
        faults: What was wrong with answers, or broke while they were made: bugs of the simulator.
    """

    def __init__(self, services: Mapping[str, Operations], lock: AbstractContextManager[object]) -> None:
        self._services = services
        self.lock = lock
        self.faults: list[str] = []

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one POST; header names are in lower case."""
        request_id = str(uuid.uuid4())
        try:
            route = find_route(path, headers, body)
        except ApiError as refused:
            return write_error(Protocol.JSON_1_1, refused, request_id)
        try:
            return self._answer(route, body, request_id)
        except ApiError as refused:
            return write_error(route.protocol, refused, request_id)
        except Exception as broken:  # noqa: BLE001 - a server answers; the fault is kept for the test to see
            self.faults.append(f"{route.service} {route.operation}: {broken!r}")
            failure = ApiError("InternalFailure", f"the simulator failed: {broken!r}", 500)
            return write_error(route.protocol, failure, request_id)

    def _answer(self, route: Route, body: bytes, request_id: str) -> Answer:
        operation = self._operation(route)
        parameters = _parameters(route, operation, body)
        with self.lock:
            result = self._services[route.service].call(operation.name, parameters)
        wrong = list(problems(operation.output_shape, result))
        if wrong:
            msg = f"the simulator's answer does not fit the service model: {_sentence(wrong)}"
            raise ValueError(msg)
        return write_result(route.protocol, operation, result, request_id)

    def _operation(self, route: Route) -> OperationModel:
        try:
            operation = service_model(route.service).operation_model(route.operation)
        except OperationNotFoundError as error:
            code = "InvalidAction" if route.form else "UnknownOperationException"
            msg = f"{route.service} has no operation {route.operation!r}"
            raise ApiError(code, msg) from error
        if not self._services[route.service].knows(operation.name):
            msg = f"{route.service} {operation.name} is not simulated"
            raise ApiError("UnsupportedOperation", msg)
        return operation


def _parameters(route: Route, operation: OperationModel, body: bytes) -> dict[str, Any]:
    """Read and check the parameters of a call.

    Raises:
        ApiError: They do not fit the service model.
    """
    shape = operation.input_shape
    unread: set[str] = set()
    try:
        if route.protocol is Protocol.CBOR:
            parameters = cbor.decode(body) if body else {}
        elif route.form:
            reader = FormReader(route.form, ec2=route.protocol is Protocol.EC2)
            parameters = reader.read(shape)
            unread = reader.unread
        else:
            parameters = read_json(shape, body)
    except ValueError as error:
        raise ApiError("SerializationException", f"the body cannot be read: {error}") from error
    wrong = [
        *(Problem(Fault.UNKNOWN, name, f"{operation.name} has no parameter of this name") for name in unread),
        *problems(shape, parameters),
    ]
    if wrong:
        raise ApiError(_INVALID_CODES[route.service][wrong[0].fault], _sentence(wrong))
    return dict(parameters)


def _sentence(wrong: Iterable[Problem]) -> str:
    found = list(wrong)
    noun = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {noun} detected: {'; '.join(map(str, found))}"
