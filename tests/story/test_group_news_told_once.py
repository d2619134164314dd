"""What others do to groups is told once, by the event, when it comes again, or by the sweep."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.stories import Story
from tests.support.telling import MINUTE, Invoke, busy, fail_at, told

from emr_autoscaler.domain.cluster import GroupState, Role
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.usecases.follow_groups import Resize


def resized_by_hand(story: Story, cluster_id: str) -> Invoke:
    spot = next(g for g in story.ports.registry.get(cluster_id).groups if g.role is Role.TASK)
    at, resize = story.world.now, Resize(group_id=spot.group_id, count=spot.requested_count + 3)
    return lambda cases: cases.follow_groups.note_resizes(cluster_id, [resize], by="anna", at=at)


def suspended(story: Story, cluster_id: str) -> Invoke:
    spot = next(g for g in story.ports.registry.get(cluster_id).groups if g.role is Role.TASK)
    stopped, at = replace(spot, state=GroupState.SUSPENDED), story.world.now
    return lambda cases: cases.follow_groups.note_group(cluster_id, stopped, at=at)


GROUP_NEWS = {Reason.OPERATOR_RESIZED: resized_by_hand, Reason.GROUP_SUSPENDED: suspended}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((name, reason) for name in ("notifier.notify", "registry.put") for reason in GROUP_NEWS),
        ("queue.request", Reason.OPERATOR_RESIZED),  # a stopped group is looked at once it runs again
    ],
)
def test_news_of_a_group_that_could_not_be_told_are_told_when_the_event_comes_again(
    name: str, reason: Reason
) -> None:
    story, cluster_id = busy()
    note = GROUP_NEWS[reason](story, cluster_id)
    fail_at(story, note, name)
    assert told(story, cluster_id, reason) == 0
    for _ in range(3):
        story.world.run_for(MINUTE)
        note(story.system.use_cases)
    assert told(story, cluster_id, reason) == 1
    assert not story.ports.registry.get(cluster_id).untold


def test_news_of_a_group_whose_event_never_comes_again_are_told_by_the_sweep() -> None:
    story, cluster_id = busy()
    fail_at(story, resized_by_hand(story, cluster_id), "notifier.notify")
    story.world.run_for(MINUTE)
    story.system.use_cases.sweep_fleet(full=True)
    assert told(story, cluster_id, Reason.OPERATOR_RESIZED) == 1


@pytest.mark.parametrize("reason", GROUP_NEWS)
def test_news_of_a_group_that_are_delivered_twice_are_told_once(reason: Reason) -> None:
    story, cluster_id = busy()
    note = GROUP_NEWS[reason](story, cluster_id)
    for _ in range(2):
        note(story.system.use_cases)
    assert told(story, cluster_id, reason) == 1


def test_news_that_another_invocation_is_telling_just_now_are_left_to_it() -> None:
    story, cluster_id = busy()
    note = resized_by_hand(story, cluster_id)
    fail_at(story, note, "notifier.notify")
    story.world.run_for(timedelta(seconds=5))
    note(story.system.use_cases)
    assert told(story, cluster_id, Reason.OPERATOR_RESIZED) == 0
