"""Presto, Trino and HBase work on nodes where YARN sees nothing: such nodes are not given back for that."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.fleet_scenes import targets
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster, fleet, fleet_cluster

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, TaskPolicy
from emr_simulator.words import Role as SimulatedRole

HOUR = timedelta(hours=1)
WITH_TRINO = {"applications": ("Hadoop", "Spark", "Trino"), "tags": OPTED_IN}


def story(*, core: CorePolicy | None = None, **task: object) -> Story:
    policy = live(
        task=TaskPolicy(**{"max_nodes": 8, **task}),
        core=core or CorePolicy(enabled=False),
        idle=IdlePolicy(enabled=False),
    )
    return Story(calm_world(), policy)


def reasons(told: Story, cluster_id: str, kind: DecisionKind = DecisionKind.TASK) -> set[Reason]:
    return {record.decision.reason for record in told.decisions(cluster_id, kind)}


def test_task_nodes_of_a_trino_cluster_stay_though_yarn_has_nothing_to_do() -> None:
    told = story()
    cluster_id = told.start(cluster(task=4, **WITH_TRINO))
    told.run(3 * HOUR)
    assert told.ordered(cluster_id) == 4
    assert Reason.WORK_NOT_VISIBLE_TO_YARN in reasons(told, cluster_id)


def test_they_go_where_the_policy_trusts_yarn() -> None:
    told = story(trust_yarn=True)
    cluster_id = told.start(cluster(task=4, **WITH_TRINO))
    told.run(HOUR)
    assert told.ordered(cluster_id) == 0


def test_work_that_yarn_sees_still_buys_nodes_which_then_stay() -> None:
    told = story()
    cluster_id = told.start(cluster(task=1, **WITH_TRINO))
    told.world.submit_job(cluster_id, job(tasks=2000, seconds=60))
    told.run(2 * HOUR)
    assert told.ordered(cluster_id) == 8


@pytest.mark.parametrize(("bound", "nodes"), [({"max_nodes": 2}, 2), ({"max_usd_per_hour": Decimal("0.75")}, 3)])
def test_the_maximum_and_the_cap_in_money_hold_whatever_works_there(bound: dict[str, object], nodes: int) -> None:
    told = story(**bound)
    cluster_id = told.start(cluster(task=4, **WITH_TRINO))
    told.run(HOUR)
    assert told.ordered(cluster_id) == nodes


def test_a_warned_node_is_replaced_and_the_minimum_is_bought_again_whatever_is_lost() -> None:
    told = story(min_nodes=5)
    cluster_id = told.start(cluster(task=1, spot=4, **WITH_TRINO))
    told.run(HOUR)
    inside = told.world.inside(cluster_id)
    told.world.dry_pool("m5.xlarge", inside.zone, told.world.now + 6 * HOUR)
    for node in list(told.groups(cluster_id)["spot"].nodes):
        told.world.warn_spot_interruption(node.ec2_id)
    told.run(2 * HOUR)
    assert told.ordered(cluster_id) == 5
    assert told.groups(cluster_id)["task"].running == 5


def test_a_settled_fleet_is_not_looked_at_every_five_minutes() -> None:
    told = story()
    cluster_id = told.start(fleet_cluster(task=fleet(SimulatedRole.TASK, 2, spot=2), **WITH_TRINO))
    told.run(HOUR)
    before = len(told.decisions(cluster_id, DecisionKind.TASK))
    told.run(6 * HOUR)
    assert len(told.decisions(cluster_id, DecisionKind.TASK)) - before <= 2


def test_units_of_a_fleet_stay_as_well() -> None:
    told = story()
    cluster_id = told.start(fleet_cluster(task=fleet(SimulatedRole.TASK, 2, spot=2), **WITH_TRINO))
    told.run(3 * HOUR)
    assert targets(told, cluster_id) == (2, 2)
    assert Reason.WORK_NOT_VISIBLE_TO_YARN in reasons(told, cluster_id)


def test_core_nodes_of_an_hbase_cluster_stay_though_hdfs_is_nearly_empty() -> None:
    for applications, left in ((("Hadoop", "HBase"), 5), (("Hadoop", "Spark"), 2)):
        told = story(core=CorePolicy(min_nodes=2), enabled=False)
        cluster_id = told.start(cluster(core=5, tags=OPTED_IN, dfs_replication=2, applications=applications))
        told.run(5 * HOUR)
        assert told.ordered(cluster_id, Role.CORE) == left


def test_a_settled_trino_cluster_is_not_looked_at_every_five_minutes() -> None:
    told = story()
    cluster_id = told.start(cluster(task=4, **WITH_TRINO))
    told.run(HOUR)
    before = len(told.decisions(cluster_id, DecisionKind.TASK))
    told.run(6 * HOUR)
    assert len(told.decisions(cluster_id, DecisionKind.TASK)) - before <= 2
