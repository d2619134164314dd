"""The registry of enrolled clusters on the state table."""

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from emr_autoscaler.adapters.dynamodb_table import PK, SK, Item, Table, sortable
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.state_table import (
    DOCUMENT,
    DUE,
    DUE_INDEX,
    DUE_SHARD,
    ENTRY_VERSION,
    EXPIRES_AT,
    NEXT_EVALUATION_AT,
    OPEN_INDEX,
    OPEN_KIND,
    OPEN_REGISTRY,
    OPEN_SINCE,
    REGISTRY_SK,
    RETENTION,
    TASK_MEMORY_SK,
    TASK_VERSION,
    Document,
    cluster_pk,
    epoch_seconds,
)
from emr_autoscaler.domain.memory import RegistryEntry, TaskMemory
from emr_autoscaler.domain.snapshot import last_pushed_at

_ENTRY = Document(RegistryEntry)
_TASK_MEMORY = Document(TaskMemory)


class DynamoRegistry:
    """Implements ``ports.Registry``.

    ``all`` and ``due`` read indexes, which follow a write within moments: an entry read too early
    carries its old version, so that writing it is refused.

    What snapshots change every ten seconds lies in an item of its own that stands in no index, and counts as
    long as the entry's item has the version it was read with: a few KB less for each write, three times.
    """

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("dynamodb:PutItem",), "write a registry entry against the version it was read with"),
        Permission(
            ("dynamodb:Query",),
            "read the entry of the cluster at hand; find open and due clusters through the sparse indexes",
        ),
    )

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, cluster_id: str) -> RegistryEntry | None:
        """Return the entry, or None where the cluster is not enrolled."""
        found = self._table.query(
            "PK = :pk AND begins_with(SK, :registry)", {":pk": cluster_pk(cluster_id), ":registry": REGISTRY_SK}
        )
        items = {item[SK]: item for item in found}
        if REGISTRY_SK not in items:
            return None
        entry, since = _entry_of(items[REGISTRY_SK]), items.get(TASK_MEMORY_SK)
        if since is None or since[ENTRY_VERSION] != entry.version:
            return entry
        return replace(entry, task=_TASK_MEMORY.load(since[DOCUMENT]), task_version=int(since[TASK_VERSION]))

    def put(self, entry: RegistryEntry) -> RegistryEntry:
        """Write an entry against the version it was read with; return it with the next one."""
        stored = replace(entry, version=entry.version + 1, task_version=0)
        if entry.version == 0:
            self._table.put(_item_of(stored), condition="attribute_not_exists(PK)")
        else:
            self._table.put(
                _item_of(stored), condition=f"{ENTRY_VERSION} = :read", values={":read": entry.version}
            )
        return stored

    def put_task_memory(self, entry: RegistryEntry, memory: TaskMemory) -> None:
        """Write a task memory alone, against the entry it was made from."""
        self._table.put(
            {
                PK: cluster_pk(entry.cluster_id),
                SK: TASK_MEMORY_SK,
                DOCUMENT: _TASK_MEMORY.dump(memory),
                ENTRY_VERSION: entry.version,
                TASK_VERSION: entry.task_version + 1,
                EXPIRES_AT: epoch_seconds(max(last_pushed_at(memory.pushed), entry.enrolled_at) + RETENTION),
            },
            condition=f"attribute_not_exists(PK) OR {ENTRY_VERSION} < :entry"
            f" OR ({ENTRY_VERSION} = :entry AND {TASK_VERSION} = :task)",
            values={":entry": entry.version, ":task": entry.task_version},
        )

    def all(self) -> tuple[RegistryEntry, ...]:
        """Return every entry whose costs are not closed yet, longest enrolled first."""
        items = self._table.query(f"{OPEN_KIND} = :kind", {":kind": OPEN_REGISTRY}, index=OPEN_INDEX)
        entries = [_entry_of(item) for item in items]
        return tuple(sorted(entries, key=lambda entry: (entry.enrolled_at, entry.cluster_id)))

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of clusters due at ``now``, longest waiting first."""
        items = self._table.query(
            f"{DUE_SHARD} = :due AND {NEXT_EVALUATION_AT} <= :now",
            {":due": DUE, ":now": sortable(now)},
            index=DUE_INDEX,
        )
        waiting = sorted((item[NEXT_EVALUATION_AT], item[PK]) for item in items)
        return tuple(pk.removeprefix(cluster_pk("")) for _, pk in waiting)


def _item_of(entry: RegistryEntry) -> Item:
    item: dict[str, Any] = {
        PK: cluster_pk(entry.cluster_id),
        SK: REGISTRY_SK,
        DOCUMENT: _ENTRY.dump(entry),
        ENTRY_VERSION: entry.version,
    }
    if entry.cost_closed:
        if entry.cluster.ended_at is not None:
            item[EXPIRES_AT] = epoch_seconds(entry.cluster.ended_at + RETENTION)
        return item
    item |= {OPEN_KIND: OPEN_REGISTRY, OPEN_SINCE: sortable(entry.enrolled_at)}
    if entry.next_evaluation_at is not None:
        item |= {DUE_SHARD: DUE, NEXT_EVALUATION_AT: sortable(entry.next_evaluation_at)}
    return item


def _entry_of(item: Item) -> RegistryEntry:
    return _ENTRY.load(item[DOCUMENT])
