"""Keys, index attributes and documents of the state table; each store builds its items from these.

==========================================  ==============================  =========================
PK                                          SK                              what
==========================================  ==============================  =========================
``CLUSTER#<cluster id>``                    ``REGISTRY``                    registry entry
``CLUSTER#<cluster id>``                    ``REGISTRY#TASK``               task memory since, where a probe pushes
``CLUSTER#<cluster id>``                    ``DECISION#<time>#<record id>`` decision, 90 days
``CLUSTER#<cluster id>``                    ``LEASE``                       who decides on it now
``POOL#<type>#<zone>#<market>``             ``HEALTH``                      pool health
``POLICY#<name>``                           ``LAST_GOOD``                   last usable policy document
(set by the caller of Powertools)           idempotency key                 idempotency records
==========================================  ==============================  =========================

A decision's evidence is compressed JSON (zlib); everything else is text and can be read as it stands.
The sparse index ``due`` holds unsettled clusters, the sparse index ``open`` holds registry entries
whose costs are not closed and intents without outcome. Powertools' idempotency records share the
table: they use ``expires_at`` too, and the attributes status, data, validation and
in_progress_expiration, which are therefore not used here.
"""

import json
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

REGISTRY_SK: Final = "REGISTRY"
TASK_MEMORY_SK: Final = "REGISTRY#TASK"
LEASE_SK: Final = "LEASE"
HEALTH_SK: Final = "HEALTH"
LAST_GOOD_SK: Final = "LAST_GOOD"

EXPIRES_AT: Final = "expires_at"
"""TTL attribute of the table, epoch seconds; Powertools' ``expiry_attr`` is to be the same."""

DUE_INDEX: Final = "due"
DUE_SHARD: Final = "due_shard"
NEXT_EVALUATION_AT: Final = "next_evaluation_at"
DUE: Final = "DUE"
"""The one value of ``due_shard``: all unsettled clusters are found by one query."""

OPEN_INDEX: Final = "open"
OPEN_KIND: Final = "open_kind"
OPEN_SINCE: Final = "open_since"
OPEN_REGISTRY: Final = "REGISTRY"
OPEN_INTENT: Final = "INTENT"

DOCUMENT: Final = "document"
ENTRY_VERSION: Final = "entry_version"
TASK_VERSION: Final = "task_version"

RETENTION: Final = timedelta(days=90)
"""How long decisions, closed registry entries and quiet pools are kept."""


def cluster_pk(cluster_id: str) -> str:
    """Return the partition of everything kept of one cluster."""
    return f"CLUSTER#{cluster_id}"


def epoch_seconds(at: datetime) -> int:
    """Return the whole epoch second of a time, as TTL wants it."""
    return int(at.timestamp())


class Document(Generic[T]):
    """The stored form of a domain dataclass: one JSON text that gives the same value back.

    One text instead of nested attributes keeps floats exact (DynamoDB's numbers are decimal) and
    costs fewer bytes; whatever is queried by is an attribute of its own.
    """

    def __init__(self, kind: type[T]) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)

    def dump(self, value: T) -> str:
        """Return the text."""
        return dump_json(self._adapter.dump_python(value, mode="json"))

    def load(self, text: str) -> T:
        """Return the value. Raises pydantic's ValidationError for what ``dump`` never wrote."""
        return self._adapter.validate_json(text)


def dump_json(value: Any) -> str:  # noqa: ANN401  JSON types are any types
    """Write JSON types as text; infinities and NaN stay what they are (pydantic would write null)."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
