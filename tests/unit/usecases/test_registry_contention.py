"""Several invocations on one cluster: leases, and a registry entry that others change."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.busy_clusters import busy_story

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import (
    BusyError,
    ConflictError,
)
from emr_autoscaler.usecases.registry_updates import update_entry


def test_a_cluster_that_is_held_by_another_invocation_is_queued_for_another_look() -> None:
    story, cluster_id = busy_story()
    story.ports.queue.take()
    use_cases = story.system.use_cases
    with story.ports.leases.hold(cluster_id, owner="another"):
        assert use_cases.scale_task_groups.now_or_queued(cluster_id, trigger="alarm") is None
        assert use_cases.resize_core_group.now_or_queued(cluster_id, trigger="alarm") is None
        with pytest.raises(BusyError):
            use_cases.scale_task_groups(cluster_id, trigger="message")
        assert use_cases.reap_idle_clusters([cluster_id], trigger="schedule") == ()
    assert {asked.kind for asked in story.ports.queue.take()} == {DecisionKind.TASK, DecisionKind.CORE}


def test_a_conflict_is_read_and_changed_again() -> None:
    story, cluster_id = busy_story()
    registry = story.ports.registry
    attempts: list[int] = []

    class Contended:
        get = staticmethod(registry.get)

        @staticmethod
        def put(entry: Any) -> Any:
            attempts.append(entry.version)
            if len(attempts) == 1:
                registry.put(replace(registry.get(cluster_id), cost_centre="meanwhile"))
            return registry.put(entry)

    written = update_entry(Contended(), cluster_id, lambda e: replace(e, policy_name="other"))
    assert len(attempts) == 2
    assert (written.cost_centre, written.policy_name) == ("meanwhile", "other")


def test_a_conflict_that_never_ends_is_raised() -> None:
    story, cluster_id = busy_story()

    class Hopeless:
        get = staticmethod(story.ports.registry.get)

        @staticmethod
        def put(entry: Any) -> Any:
            raise ConflictError("again")

    with pytest.raises(ConflictError):
        update_entry(Hopeless(), cluster_id, lambda e: replace(e, policy_name="other"))
