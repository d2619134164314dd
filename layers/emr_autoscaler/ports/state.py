"""What the system remembers and decides by: clock, registry, decisions, pools, leases, policies."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from emr_autoscaler.domain.memory import PoolHealth, PoolKey, RegistryEntry, TaskMemory
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.domain.record import DecisionRecord


class Clock(Protocol):
    """Where ``now`` comes from."""

    def now(self) -> datetime:
        """Return the current time, aware UTC."""
        ...


class Registry(Protocol):
    """Enrolled clusters."""

    def get(self, cluster_id: str) -> RegistryEntry | None:
        """Return the entry, or None where the cluster is not enrolled."""
        ...

    def put(self, entry: RegistryEntry) -> RegistryEntry:
        """Write an entry and return it with its new version.

        Raises:
            ConflictError: The stored version is not the one this entry was read with.
        """
        ...

    def put_task_memory(self, entry: RegistryEntry, memory: TaskMemory) -> None:
        """Write a task memory for an entry that was read, and nothing else of it: a small write, made often.

        ``due`` goes by the entry as it was last written whole. Where that was written since this one was read,
        this write has no effect.

        Raises:
            ConflictError: Somebody else has written the entry or its task memory since; not always noticed
                for the entry.
        """
        ...

    def all(self) -> tuple[RegistryEntry, ...]:
        """Return every entry whose costs are not closed yet, task memories as last written with the whole."""
        ...

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of clusters whose next evaluation is due, without reading the others."""
        ...


class Decisions(Protocol):
    """The journal of decisions."""

    def put(self, record: DecisionRecord) -> None:
        """Write a record; the same record_id replaces (intent becomes outcome)."""
        ...

    def of_cluster(
        self, cluster_id: str, *, since: datetime | None = None, limit: int = 100
    ) -> tuple[DecisionRecord, ...]:
        """Return a cluster's records, newest first."""
        ...

    def unfinished(self, before: datetime) -> tuple[DecisionRecord, ...]:
        """Return the intents decided before ``before`` that have no outcome yet."""
        ...


class Pools(Protocol):
    """Health of capacity pools."""

    def get(self, keys: Sequence[PoolKey]) -> tuple[PoolHealth, ...]:
        """Return the health of each key, in order; pools never seen are healthy."""
        ...

    def put(self, health: PoolHealth) -> PoolHealth:
        """Write a pool's health and return it with its new version.

        Raises:
            ConflictError: The stored version is not the one this health was read with.
        """
        ...


class Leases(Protocol):
    """One invocation at a time for each cluster."""

    def hold(self, cluster_id: str, *, owner: str, wait: timedelta = timedelta(0)) -> AbstractContextManager[None]:
        """Hold the cluster for the length of the ``with`` block.

        Raises:
            BusyError: It is still taken after ``wait``.
        """
        ...


class Policies(Protocol):
    """Policy documents."""

    def get(self, name: str) -> Policy:
        """Return a policy.

        Raises:
            NotFoundError: There is none of this name.
            InvalidPolicyError: It cannot be used; names the field and the fix.
        """
        ...

    def last_good(self, name: str) -> Policy | None:
        """Return the last version that could be used, or None if there never was one."""
        ...
