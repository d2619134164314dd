"""Evidence of decisions as JSON types and back, so that a stored decision can be replayed."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from emr_autoscaler.domain.core_scene import CoreEvidence
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import InvalidInputError
from emr_autoscaler.domain.idleness import IdleEvidence
from emr_autoscaler.domain.interruption import InterruptionEvidence
from emr_autoscaler.domain.record import Evidence
from emr_autoscaler.domain.task_scene import TaskEvidence

EVIDENCE_TYPES: Final[Mapping[DecisionKind, type[Any]]] = MappingProxyType(
    {
        DecisionKind.TASK: TaskEvidence,
        DecisionKind.CORE: CoreEvidence,
        DecisionKind.INTERRUPTION: InterruptionEvidence,
        DecisionKind.IDLE: IdleEvidence,
    }
)
"""What each kind of decision is made from; POLICY is decided by no function of evidence."""


def dump_evidence(kind: DecisionKind, evidence: Evidence) -> dict[str, Any]:
    """Turn evidence into JSON types: the whole of it. Infinities and NaN stay floats.

    Raises:
        TypeError: It is not what decisions of this kind are made from, so it could not be read back.
    """
    expected = EVIDENCE_TYPES.get(kind)
    if expected is None or type(evidence) is not expected:
        msg = f"a {kind} decision is not made from {type(evidence).__name__}"
        raise TypeError(msg)
    dumped: dict[str, Any] = _adapter(kind).dump_python(evidence, mode="json")
    return dumped


def load_evidence(kind: DecisionKind, data: Mapping[str, Any]) -> Evidence:
    """Turn stored evidence back into its dataclass.

    Raises:
        InvalidInputError: It is not evidence of this kind as this release knows it.
    """
    if kind not in EVIDENCE_TYPES:
        msg = f"{kind} decisions keep no evidence"
        raise InvalidInputError(msg)
    try:
        evidence: Evidence = _adapter(kind).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(step) for step in first["loc"])
        msg = f"this release cannot read stored {kind} evidence: {path}: {first['msg']}"
        raise InvalidInputError(msg) from error
    return evidence


@cache
def _adapter(kind: DecisionKind) -> TypeAdapter[Any]:
    # Built when first needed: an adapter costs milliseconds of a cold start.
    return TypeAdapter(EVIDENCE_TYPES[kind])
