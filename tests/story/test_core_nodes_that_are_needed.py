"""An empty HDFS is no reason to take core nodes from a cluster that is young, or whose YARN needs them."""

from datetime import timedelta

from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, TaskPolicy

HOUR = timedelta(hours=1)


def nearly_empty_hdfs(*, tasks: int = 0, **core: object) -> tuple[Story, str]:
    policy = live(
        task=TaskPolicy(enabled=False), core=CorePolicy(min_nodes=2, **core), idle=IdlePolicy(enabled=False)
    )
    story = Story(calm_world(), policy)
    work = [job(tasks=tasks, seconds=300)] if tasks else []
    return story, story.start(
        cluster(core=5, tags=OPTED_IN, dfs_replication=2),
        prepare=lambda new: [story.world.submit_job(new, each) for each in work],
    )


def reasons(story: Story, cluster_id: str) -> set[Reason]:
    return {record.decision.reason for record in story.decisions(cluster_id, DecisionKind.CORE)}


def test_a_young_cluster_keeps_its_core_nodes_and_an_older_one_gives_them_back() -> None:
    story, cluster_id = nearly_empty_hdfs()
    story.run(timedelta(minutes=95))
    assert story.ordered(cluster_id, Role.CORE) == 5
    assert Reason.TOO_YOUNG in reasons(story, cluster_id)
    story.run(timedelta(minutes=15))
    assert story.ordered(cluster_id, Role.CORE) == 4
    story.run(HOUR)
    assert story.ordered(cluster_id, Role.CORE) == 2


def test_a_busy_cluster_keeps_its_core_nodes_until_its_work_is_done() -> None:
    story, cluster_id = nearly_empty_hdfs(tasks=5 * 6 * 30, min_age=timedelta(0))
    story.run(2 * HOUR)
    assert story.ordered(cluster_id, Role.CORE) == 5
    assert Reason.YARN_BUSY in reasons(story, cluster_id)
    story.run(3 * HOUR)
    assert story.ordered(cluster_id, Role.CORE) == 2
    assert story.system.given_up == []
