"""Evidence of decisions as JSON types and back, so that a stored decision can be replayed.

The evidence classes live beside their decisions in domain/; which kind of decision has which is told
to ``EvidenceForms`` where the system is put together.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import InvalidInputError


class EvidenceForms:
    """The JSON forms of evidence dataclasses.

    Args:
        types: The evidence class of each kind of decision.
    """

    def __init__(self, types: Mapping[DecisionKind, type[Any]]) -> None:
        self._types = dict(types)
        self._adapters: dict[type[Any], TypeAdapter[Any]] = {}

    def dump(self, evidence: object) -> dict[str, Any]:
        """Turn an evidence dataclass into JSON types: the whole of it, so that it can be replayed.

        Raises:
            TypeError: It is not of a registered class.
        """
        kind = type(evidence)
        if kind not in self._types.values():
            msg = f"{kind.__name__} is not registered as the evidence of any kind of decision"
            raise TypeError(msg)
        dumped: dict[str, Any] = self._adapter(kind).dump_python(evidence, mode="json")
        return dumped

    def load(self, kind: DecisionKind, data: Mapping[str, Any]) -> Any:  # noqa: ANN401  differs by kind
        """Turn stored evidence back into its dataclass.

        Raises:
            InvalidInputError: It is not evidence of this kind as this release knows it.
        """
        evidence_type = self._types.get(kind)
        if evidence_type is None:
            msg = f"decisions of kind {kind} keep no evidence that can be replayed"
            raise InvalidInputError(msg)
        try:
            return self._adapter(evidence_type).validate_python(data)
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(part) for part in first["loc"])
            msg = f"stored {kind} evidence cannot be read by this release: {path}: {first['msg']}"
            raise InvalidInputError(msg) from error

    def _adapter(self, evidence_type: type[Any]) -> TypeAdapter[Any]:
        # Built when first needed: an adapter costs milliseconds of a cold start.
        if evidence_type not in self._adapters:
            self._adapters[evidence_type] = TypeAdapter(evidence_type)
        return self._adapters[evidence_type]
