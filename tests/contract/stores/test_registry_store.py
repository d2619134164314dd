"""What use cases may rely on of the registry, in memory and on DynamoDB."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from tests.support.samples import T0, cluster, registry_entry
from tests.support.strategies import of

from emr_autoscaler.domain.cluster import ClusterState
from emr_autoscaler.domain.errors import ConflictError
from emr_autoscaler.domain.memory import CoreMemory, RegistryEntry, TaskMemory

MINUTE = timedelta(minutes=1)


def waiting(entry: RegistryEntry, minutes: float) -> RegistryEntry:
    return replace(entry, task=TaskMemory(next_evaluation_at=T0 + minutes * MINUTE))


def test_a_cluster_that_is_not_enrolled_has_no_entry(backend):
    assert backend.registry.get("j-unknown") is None


def test_a_new_entry_gets_version_1_and_reads_back(backend):
    stored = backend.registry.put(registry_entry())

    assert stored == replace(registry_entry(), version=1)
    assert backend.registry.get("j-1") == stored


def test_every_write_raises_the_version(backend):
    first = backend.registry.put(registry_entry())
    second = backend.registry.put(replace(first, policy_name="other"))

    assert second.version == 2
    assert backend.registry.get("j-1").policy_name == "other"


def test_a_write_against_an_older_version_is_refused(backend):
    first = backend.registry.put(registry_entry())
    backend.registry.put(replace(first, policy_name="theirs"))

    with pytest.raises(ConflictError):
        backend.registry.put(replace(first, policy_name="ours"))
    assert backend.registry.get("j-1").policy_name == "theirs"


def test_enrolling_twice_is_refused(backend):
    backend.registry.put(registry_entry())

    with pytest.raises(ConflictError):
        backend.registry.put(registry_entry())


def test_a_version_nobody_wrote_is_refused(backend):
    with pytest.raises(ConflictError):
        backend.registry.put(registry_entry(version=3))


def test_all_lists_open_entries_longest_enrolled_first(backend):
    for cluster_id, minutes in (("j-b", 1), ("j-c", 2), ("j-a", 1), ("j-0", 3)):
        backend.registry.put(registry_entry(cluster_id, enrolled_at=T0 + minutes * MINUTE))

    assert [entry.cluster_id for entry in backend.registry.all()] == ["j-a", "j-b", "j-c", "j-0"]


def test_an_entry_leaves_the_list_when_its_costs_are_closed(backend):
    ended = cluster(state=ClusterState.TERMINATED, ended_at=T0)
    entry = backend.registry.put(registry_entry(cluster=ended))
    assert backend.registry.all() == (entry,)

    closed = backend.registry.put(replace(waiting(entry, -5), cost_closed=True))

    assert backend.registry.all() == ()
    assert backend.registry.due(T0) == ()
    assert backend.registry.get("j-1") == closed


def test_due_clusters_come_longest_waiting_first(backend):
    for cluster_id, minutes in (("j-late", 5), ("j-now", 0), ("j-long", -9), ("j-soon", 0.01)):
        backend.registry.put(waiting(registry_entry(cluster_id), minutes))
    backend.registry.put(registry_entry("j-settled"))

    assert backend.registry.due(T0) == ("j-long", "j-now")


def test_the_earlier_of_two_evaluations_counts(backend):
    entry = waiting(registry_entry(), 5)
    backend.registry.put(replace(entry, core=CoreMemory(next_evaluation_at=T0)))

    assert backend.registry.due(T0) == ("j-1",)


def test_a_cluster_that_settled_is_not_due_any_more(backend):
    entry = backend.registry.put(waiting(registry_entry(), 0))

    backend.registry.put(replace(entry, task=TaskMemory()))

    assert backend.registry.due(T0) == ()


def test_more_entries_than_a_page_are_all_found(backend):
    tags = {"note": "x" * 40_000}
    for number in range(30):
        backend.registry.put(registry_entry(f"j-{number:02}", cluster=cluster(f"j-{number:02}", tags=tags)))

    assert len(backend.registry.all()) == 30


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(entry=of(RegistryEntry))
def test_any_entry_reads_back_as_it_was_written(backend, entry):
    known = backend.registry.get(entry.cluster_id)
    stored = backend.registry.put(replace(entry, version=0 if known is None else known.version))

    assert backend.registry.get(entry.cluster_id) == stored


# ----------------------------------------------------------------- the task memory alone


def holding(entry: RegistryEntry, mib: float) -> RegistryEntry:
    return replace(entry, task=replace(entry.task, container_mib=mib))


def put_task_memory(backend, entry: RegistryEntry, mib: float) -> None:
    backend.registry.put_task_memory(entry, holding(entry, mib).task)


def test_a_task_memory_written_alone_reads_back_with_the_rest_of_the_entry(backend):
    entry = backend.registry.put(registry_entry())

    put_task_memory(backend, replace(entry, policy_name="not written"), 2048.0)

    read = backend.registry.get("j-1")
    assert read == replace(holding(entry, 2048.0), task_version=1)
    put_task_memory(backend, read, 4096.0)
    assert backend.registry.get("j-1").task.container_mib == 4096.0


def test_of_two_task_memories_written_alone_the_second_is_refused(backend):
    entry = backend.registry.put(registry_entry())
    put_task_memory(backend, entry, 1.0)

    with pytest.raises(ConflictError):
        put_task_memory(backend, entry, 2.0)
    assert backend.registry.get("j-1").task.container_mib == 1.0


def test_a_whole_entry_takes_over_the_task_memory_written_before_it(backend):
    backend.registry.put(registry_entry())
    put_task_memory(backend, backend.registry.get("j-1"), 1.0)

    stored = backend.registry.put(replace(backend.registry.get("j-1"), policy_name="other"))

    assert (stored.task.container_mib, stored.task_version) == (1.0, 0)
    assert backend.registry.get("j-1") == stored
    put_task_memory(backend, stored, 2.0)
    assert backend.registry.get("j-1").task.container_mib == 2.0


def test_a_task_memory_never_outlives_a_whole_entry_written_since_it_was_read(backend):
    entry = backend.registry.put(registry_entry())
    theirs = backend.registry.put(holding(entry, 1.0))

    with contextlib.suppress(ConflictError):
        put_task_memory(backend, entry, 2.0)

    assert backend.registry.get("j-1") == theirs


def test_a_task_memory_written_late_does_not_hide_one_that_builds_on_a_newer_entry(backend):
    entry = backend.registry.put(registry_entry())
    theirs = backend.registry.put(replace(entry, policy_name="other"))
    put_task_memory(backend, theirs, 1.0)

    with pytest.raises(ConflictError):
        put_task_memory(backend, entry, 2.0)
    assert backend.registry.get("j-1").task.container_mib == 1.0
