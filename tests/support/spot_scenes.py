"""A cluster with four spot pools and an on-demand group, and what stories ask and do of it."""

from datetime import timedelta
from typing import Any

from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.decision import DecisionKind, Reason
from emr_autoscaler.domain.policy import IdlePolicy, TaskPolicy

POOLS = ("m5.xlarge", "m5a.xlarge", "m6i.xlarge", "m6a.xlarge")
ENDLESS = 60_000
MINUTE = timedelta(minutes=1)


def spot_story(world: dict[str, Any] | None = None, **policy: Any) -> tuple[Story, str]:
    """A cluster with four spot pools and an on-demand group, enrolled and settled."""
    task = TaskPolicy(**{"max_nodes": 10, "instance_types": POOLS, **policy})
    story = Story(calm_world(**(world or {})), live(task=task, idle=IdlePolicy(enabled=False)))
    return story, story.start(cluster(core=2, tags=OPTED_IN))


def spot(story: Story, cluster_id: str) -> dict[str, int]:
    return {
        g.spec.instance_type: g.requested
        for g in story.world.inside(cluster_id).groups.values()
        if g.spec.role == Role.TASK and g.spec.market == Market.SPOT
    }


def on_demand(story: Story, cluster_id: str) -> int:
    return sum(
        g.requested
        for g in story.world.inside(cluster_id).groups.values()
        if g.spec.role == Role.TASK and g.spec.market == Market.ON_DEMAND
    )


def busy(story: Story, cluster_id: str, minutes: int = 30) -> None:
    story.world.submit_job(cluster_id, job(tasks=ENDLESS, seconds=60))
    story.run(minutes * MINUTE)


def zone(story: Story, cluster_id: str) -> str:
    return story.world.inside(cluster_id).zone


def dry(story: Story, cluster_id: str, *types: str, hours: float = 6) -> None:
    for name in types:
        story.world.dry_pool(name, zone(story, cluster_id), story.world.now + timedelta(hours=hours))


def reasons(story: Story, cluster_id: str) -> set[Reason]:
    return {record.decision.reason for record in story.decisions(cluster_id, DecisionKind.TASK)}


def warn(story: Story, cluster_id: str, **counts: int) -> None:
    """Warn so many nodes of each pool at once; pools by the first part of their types."""
    for group in story.world.inside(cluster_id).groups.values():
        if group.spec.market == Market.SPOT:
            for node in list(group.nodes)[: counts.get(group.spec.instance_type.partition(".")[0], 0)]:
                story.world.warn_spot_interruption(node.ec2_id)
    story.run(MINUTE)
