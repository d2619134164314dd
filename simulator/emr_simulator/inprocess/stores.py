"""The state table's ports in memory: registry, decisions, pools, leases; costs live in costs.py."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.errors import BusyError, ConflictError
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, RegistryEntry, TaskMemory
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.ports import Clock


class MemoryRegistry:
    """Implements ``ports.Registry``."""

    def __init__(self) -> None:
        self._entries: dict[str, RegistryEntry] = {}
        self._due: dict[str, datetime] = {}

    def get(self, cluster_id: str) -> RegistryEntry | None:
        """Return the entry, or None where the cluster is not enrolled."""
        return self._entries.get(cluster_id)

    def put(self, entry: RegistryEntry) -> RegistryEntry:
        """Write an entry against the version it was read with; return it with the next one."""
        known = self._entries.get(entry.cluster_id)
        if entry.version != (0 if known is None else known.version):
            msg = f"the registry entry of {entry.cluster_id} was changed by somebody else; read it again"
            raise ConflictError(msg)
        stored = replace(entry, version=entry.version + 1, task_version=0)
        self._keep(stored)
        return stored

    def put_task_memory(self, entry: RegistryEntry, memory: TaskMemory) -> None:
        """Write a task memory alone, against the entry it was made from."""
        known = self._entries.get(entry.cluster_id)
        read = (entry.version, entry.task_version)
        if known is None or (known.version, known.task_version) != read:
            msg = f"the registry entry of {entry.cluster_id} was changed by somebody else; read it again"
            raise ConflictError(msg)
        self._keep(replace(known, task=memory, task_version=known.task_version + 1))

    def _keep(self, entry: RegistryEntry) -> None:
        self._entries[entry.cluster_id] = entry
        at = None if entry.cost_closed else entry.next_evaluation_at
        if at is None:
            self._due.pop(entry.cluster_id, None)
        else:
            self._due[entry.cluster_id] = at

    def all(self) -> tuple[RegistryEntry, ...]:
        """Return every entry whose costs are not closed yet, longest enrolled first."""
        entries = [entry for entry in self._entries.values() if not entry.cost_closed]
        return tuple(sorted(entries, key=lambda entry: (entry.enrolled_at, entry.cluster_id)))

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of clusters due at ``now``, longest waiting first."""
        waiting = [(at, cluster_id) for cluster_id, at in self._due.items() if at <= now]
        return tuple(cluster_id for _, cluster_id in sorted(waiting))


_DecisionKey = tuple[datetime, str]


class MemoryDecisions:
    """Implements ``ports.Decisions``."""

    def __init__(self) -> None:
        self._records: defaultdict[str, dict[_DecisionKey, DecisionRecord]] = defaultdict(dict)
        self._order: defaultdict[str, list[_DecisionKey]] = defaultdict(list)
        self._open: dict[tuple[str, _DecisionKey], DecisionRecord] = {}

    def put(self, record: DecisionRecord) -> None:
        """Write a record; the same record_id replaces (intent becomes outcome)."""
        cluster_id = record.decision.cluster_id
        key = (record.decision.decided_at, record.record_id)
        if key not in self._records[cluster_id]:
            insort(self._order[cluster_id], key)
        self._records[cluster_id][key] = record
        self._open.pop((cluster_id, key), None)
        if record.outcome is Outcome.INTENDED:
            self._open[cluster_id, key] = record

    def of_cluster(
        self, cluster_id: str, *, since: datetime | None = None, limit: int = 100
    ) -> tuple[DecisionRecord, ...]:
        """Return at most ``limit`` records decided at or after ``since``, newest first."""
        found: list[DecisionRecord] = []
        for key in reversed(self._order[cluster_id]):
            if len(found) >= limit or (since is not None and key[0] < since):
                break
            found.append(self._records[cluster_id][key])
        return tuple(found)

    def unfinished(self, before: datetime) -> tuple[DecisionRecord, ...]:
        """Return the intents decided before ``before`` that have no outcome yet, oldest first."""
        intents = [record for record in self._open.values() if record.decision.decided_at < before]
        return tuple(sorted(intents, key=lambda r: (r.decision.decided_at, r.record_id)))


class MemoryPools:
    """Implements ``ports.Pools``."""

    def __init__(self) -> None:
        self._healths: dict[PoolKey, PoolHealth] = {}

    def get(self, keys: Sequence[PoolKey]) -> tuple[PoolHealth, ...]:
        """Return the health of each key, in order; pools never seen are healthy."""
        return tuple(self._healths.get(key) or PoolHealth(key=key) for key in keys)

    def put(self, health: PoolHealth) -> PoolHealth:
        """Write a pool's health against the version it was read with; return it with the next one."""
        known = self._healths.get(health.key)
        if health.version != (0 if known is None else known.version):
            msg = f"the health of pool {health.key.instance_type} was changed by somebody else; read it again"
            raise ConflictError(msg)
        stored = replace(health, version=health.version + 1)
        self._healths[health.key] = stored
        return stored


class MemoryLeases:
    """Implements ``ports.Leases``.

    Args:
        clock: Judges whether a lease has run out.
        length: How long a lease of a crashed holder blocks the cluster.
    """

    def __init__(self, clock: Clock, *, length: timedelta = timedelta(seconds=60)) -> None:
        self._clock = clock
        self._length = length
        self._held: dict[str, tuple[object, datetime]] = {}

    def hold(self, cluster_id: str, *, owner: str, wait: timedelta = timedelta(0)) -> AbstractContextManager[None]:
        """Hold the cluster for the length of the ``with`` block.

        Nobody waits in one process: time stands still until the holder lets go.

        Raises:
            BusyError: It is taken.
        """
        del wait
        return self._holding(cluster_id, owner)

    @contextmanager
    def _holding(self, cluster_id: str, owner: str) -> Iterator[None]:
        now = self._clock.now()
        holder = self._held.get(cluster_id)
        if holder is not None and now < holder[1]:
            msg = f"cluster {cluster_id} is held by another invocation than {owner}"
            raise BusyError(msg)
        token = object()
        self._held[cluster_id] = (token, now + self._length)
        try:
            yield
        finally:
            if self._held.get(cluster_id, (None,))[0] is token:
                del self._held[cluster_id]
