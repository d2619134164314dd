"""Stories of the way back from on demand to spot, beside or in place of what works."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.support.spot_scenes import MINUTE, POOLS, busy, dry, on_demand, spot, spot_story, warn
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.policy import IdlePolicy, TaskPolicy

PATIENT = {"drain_within": 7 * MINUTE, "expected_task_seconds": 60}
"""What lets a backlog of 70 tasks of a minute in each minute wait, where nothing but spot is to be bought."""


def test_after_half_an_hour_the_work_goes_back_to_spot_new_nodes_first() -> None:
    task = TaskPolicy(max_nodes=8, min_nodes=3, instance_types=POOLS)
    story = Story(calm_world(), live(task=task, idle=IdlePolicy(enabled=False)))
    for name in POOLS:
        story.world.dry_pool(name, "us-east-1a", story.world.now + timedelta(hours=0.75))
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN, availability_zone="us-east-1a"))
    story.run(15 * MINUTE)
    assert on_demand(story, cluster_id) == 3
    story.run(10 * MINUTE)
    running = watch_running(story, cluster_id)
    story.run(timedelta(hours=2))
    assert (on_demand(story, cluster_id), sum(spot(story, cluster_id).values())) == (0, 3)
    assert min(running) >= 3
    made = [r.decision for r in story.decisions(cluster_id, DecisionKind.TASK)]
    back = [d for d in made if d.reason is Reason.BACK_TO_SPOT and d.action is Action.REBALANCE]
    assert all(t.count > t.previous_count for t in back[0].targets)
    given_back = [d for d in made if any(t.count < t.previous_count for t in d.targets)]
    assert given_back[-1].decided_at > back[0].decided_at
    assert all(t.decommission_timeout for t in given_back[-1].targets)


def stood_in(hours: float = 1.0, **policy: Any) -> tuple[Story, str]:
    """A busy cluster that was filled up on demand while spot could not be had."""
    task = TaskPolicy(**{"max_nodes": 8, "instance_types": POOLS, **policy})
    story = Story(calm_world(), live(task=task, idle=IdlePolicy(enabled=False)))
    for name in POOLS:
        story.world.dry_pool(name, "us-east-1a", story.world.now + timedelta(hours=hours))
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN, availability_zone="us-east-1a"))
    busy(story, cluster_id, 40)
    return story, cluster_id


def watch_running(story: Story, cluster_id: str) -> list[int]:
    """How many task nodes run after each step from now on; it fills as the story goes on."""
    running: list[int] = []

    def watch() -> None:
        groups = story.world.inside(cluster_id).groups.values()
        running.append(sum(g.running for g in groups if g.spec.role == Role.TASK))

    story.watch = watch
    return running


def exchanges(story: Story, cluster_id: str) -> list[Decision]:
    made = (record.decision for record in story.decisions(cluster_id, DecisionKind.TASK))
    return [decision for decision in made if decision.reason is Reason.BACK_TO_SPOT and decision.targets]


def test_on_demand_leaves_once_spot_has_booted_though_work_waits() -> None:
    story, cluster_id = spot_story(
        max_nodes=40, min_nodes=6, **PATIENT, instance_types=("m5a.xlarge", "m6a.xlarge")
    )
    story.run(20 * MINUTE)
    story.world.submit_job(cluster_id, job(tasks=240))
    warn(story, cluster_id, m5a=3, m6a=3)
    assert on_demand(story, cluster_id) == 5

    def feed_until(steps_back: int) -> Decision:
        for _ in range(60):
            if len(exchanges(story, cluster_id)) >= steps_back:
                break
            story.world.submit_job(cluster_id, job(tasks=70))
            story.run(MINUTE)
        return exchanges(story, cluster_id)[steps_back - 1]

    ordered = feed_until(1)
    running = watch_running(story, cluster_id)
    assert sum(t.count - t.previous_count for t in ordered.targets) == 5
    given_back = feed_until(2)
    assert [t.count - t.previous_count for t in given_back.targets] == [-5]
    assert story.world.yarn(cluster_id).pending > 6 * 17  # more than all nodes hold
    story.run(10 * MINUTE)
    assert on_demand(story, cluster_id) == 0
    assert min(running) == running[0] == sum(spot(story, cluster_id).values())
    assert story.system.given_up == []


def comes_in_part(*pools: str, dry_at: dict[int, tuple[str, ...]]) -> tuple[Story, str, list[int]]:
    """A busy cluster with three nodes on demand, and what each step of its way back added; pools dry meanwhile."""
    story, cluster_id = spot_story(max_nodes=40, min_nodes=6, **PATIENT, instance_types=pools)
    story.run(20 * MINUTE)
    story.world.submit_job(cluster_id, job(tasks=240))
    warn(story, cluster_id, **{name.partition(".")[0]: 1 if name == pools[-1] else 2 for name in pools})
    for minute in range(60):
        dry(story, cluster_id, *dry_at.get(minute, ()))
        story.world.submit_job(cluster_id, job(tasks=70))
        story.run(MINUTE)
    steps = [sum(t.count - t.previous_count for t in d.targets) for d in exchanges(story, cluster_id)]
    return story, cluster_id, steps


def test_spot_of_an_exchange_that_never_comes_is_ordered_in_the_next_pool() -> None:
    pools = ("m5a.xlarge", "m6a.xlarge", "m5.xlarge")
    story, cluster_id, steps = comes_in_part(*pools, dry_at={25: ("m6a.xlarge", "m5.xlarge")})
    assert steps == [3, 0, 0, -3]  # one of three never comes, and neither does its successor in the next pool
    assert (on_demand(story, cluster_id), sum(spot(story, cluster_id).values())) == (0, 11)


def test_where_no_pool_has_the_rest_of_an_exchange_as_many_go_as_have_come() -> None:
    pools = ("m5a.xlarge", "m6a.xlarge", "m5.xlarge")
    story, cluster_id, steps = comes_in_part(*pools, dry_at={25: pools[1:], 36: pools[:1]})
    assert steps[:4] == [3, 0, 0, -2]
    assert on_demand(story, cluster_id) == 1


def test_a_cluster_that_stays_busy_at_its_maximum_goes_back_to_spot_node_by_node() -> None:
    story, cluster_id = stood_in()
    assert on_demand(story, cluster_id) == 8
    running = watch_running(story, cluster_id)
    story.run(timedelta(hours=5))
    assert (on_demand(story, cluster_id), sum(spot(story, cluster_id).values())) == (0, 8)
    assert min(running) >= 7
    made = exchanges(story, cluster_id)
    assert {sum(t.count - t.previous_count for t in d.targets) for d in made} == {0}
    assert len(made) == 8
    assert all(t.decommission_timeout for d in made for t in d.targets if t.count < t.previous_count)
    assert story.system.given_up == []


def test_a_cluster_that_stays_busy_at_its_cap_gets_more_nodes_for_it_on_spot() -> None:
    story, cluster_id = stood_in(max_usd_per_hour=Decimal("0.74"))
    assert on_demand(story, cluster_id) == 2
    story.run(timedelta(hours=4))
    assert on_demand(story, cluster_id) == 0
    assert sum(spot(story, cluster_id).values()) >= 6
    assert story.system.given_up == []


def test_spot_that_fails_again_ends_the_exchange_for_half_an_hour() -> None:
    story, cluster_id = stood_in()
    story.run(timedelta(minutes=60))
    begun = exchanges(story, cluster_id)
    assert begun
    for name in POOLS:
        story.world.dry_pool(name, "us-east-1a", story.world.now + timedelta(hours=4))
    story.run(timedelta(hours=3))
    again = exchanges(story, cluster_id)[len(begun) :]
    assert on_demand(story, cluster_id) + sum(spot(story, cluster_id).values()) == 8
    assert len(again) <= 6
    assert all(later.decided_at - one.decided_at >= timedelta(minutes=10) for one, later in pairwise(again))
