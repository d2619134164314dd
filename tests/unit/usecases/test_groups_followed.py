"""What the registry knows of groups after events that come late or out of order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support.busy_clusters import busy_story
from tests.support.stories import Story

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Role


def seen_group(story: Story, cluster_id: str, role: Role, **changes: Any) -> InstanceGroup:
    entry = story.ports.registry.get(cluster_id)
    return replace(next(g for g in entry.groups if g.role is role), **changes)


def test_an_older_event_of_a_group_does_not_undo_a_newer_one() -> None:
    story, cluster_id = busy_story()
    note, now = story.system.use_cases.follow_groups.note_group, story.world.now
    note(cluster_id, seen_group(story, cluster_id, Role.TASK, running_count=7), at=now)
    note(cluster_id, seen_group(story, cluster_id, Role.TASK, running_count=3), at=now - timedelta(seconds=1))
    assert seen_group(story, cluster_id, Role.TASK).running_count == 7


def test_a_newer_event_of_one_group_does_not_hide_an_older_one_of_another() -> None:
    story, cluster_id = busy_story()
    note, now = story.system.use_cases.follow_groups.note_group, story.world.now
    note(cluster_id, seen_group(story, cluster_id, Role.TASK, running_count=7), at=now)
    note(cluster_id, seen_group(story, cluster_id, Role.CORE, running_count=5), at=now - timedelta(seconds=1))
    assert seen_group(story, cluster_id, Role.CORE).running_count == 5


def test_an_event_from_before_an_order_does_not_undo_it() -> None:
    story, cluster_id = busy_story()
    before = story.world.now - timedelta(seconds=1)
    old = seen_group(story, cluster_id, Role.TASK)
    story.system.use_cases.scale_task_groups(cluster_id, trigger="t")
    story.system.use_cases.follow_groups.note_group(cluster_id, old, at=before)
    assert seen_group(story, cluster_id, Role.TASK).requested_count == 10
    assert seen_group(story, cluster_id, Role.TASK).state is GroupState.RESIZING


def test_a_group_of_a_cluster_nobody_enrolled_is_ignored() -> None:
    story, cluster_id = busy_story()
    group = seen_group(story, cluster_id, Role.TASK)
    assert not story.system.use_cases.follow_groups.note_group("j-OTHER", group, at=story.world.now)
