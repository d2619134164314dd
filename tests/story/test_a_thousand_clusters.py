"""A thousand clusters in one account whose quotas are enforced: their hour is recorded within ten minutes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from tests.support.worlds import CALM, START, group

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.errors import AutoscalerError
from emr_autoscaler.domain.policy import Policy
from emr_simulator.descriptions import ClusterSpec, GroupResize
from emr_simulator.inprocess.deployment import EVENT_RETRIES
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts
from emr_simulator.words import Market, Role
from emr_simulator.world import World

CLUSTERS = 1000
HOUR = timedelta(hours=1)
TAGS = {"emr-autoscaler:policy": "default", "cost-centre": "research"}
SMALL = ClusterSpec(
    name="etl",
    groups=(
        group(Role.MASTER, 1, name="master"),
        group(Role.CORE, 1, name="core"),
        group(Role.TASK, 1, name="spot", market=Market.SPOT),
    ),
    tags=TAGS,
)


def record(world: World, cases: UseCases) -> None:
    """Fire the schedule as Lambda does: what failed is tried again a minute later, and two minutes after that."""
    for pause in (timedelta(0), *EVENT_RETRIES):
        world.run_for(pause)
        try:
            cases.record_costs()
        except AutoscalerError:
            continue
        return


def test_every_hour_of_a_thousand_clusters_is_recorded_within_ten_minutes() -> None:
    world = World(seed=1, start=START, settings=replace(CALM, enforce_quotas=True))
    ports = WorldPorts(world, MemoryPolicies(Policy(name="default")))
    cases = UseCases(ports)
    ids = []
    for _ in range(CLUSTERS):
        world.run_for(timedelta(seconds=2))  # RunJobFlow's own quota
        ids.append(world.emr.run_job_flow(SMALL))
        cases.enroll_cluster(ids[-1])

    next_hour = START + HOUR
    expected = 0
    for _ in range(2):
        # Every cluster is resized in every hour, so that none is the same as an hour before.
        for cluster_id in ids if world.now - START > HOUR else ():
            world.run_for(timedelta(seconds=2))
            spot = next(g for g in world.inside(cluster_id).groups.values() if g.spec.role is Role.TASK)
            world.emr.modify_instance_groups(
                cluster_id, [GroupResize(group_id=spot.group_id, count=1 + spot.requested % 2)]
            )
        world.run_until(next_hour + timedelta(minutes=5))
        record(world, cases)
        lines = world.ledger.bill(until=next_hour).lines
        expected = len({(line.cluster_id, line.hour) for line in lines})
        assert ports.costs.month_total("research", "2026-10").hours == expected
        assert world.now <= next_hour + timedelta(minutes=10)
        next_hour += HOUR

    closed = next_hour - HOUR
    recorded = ports.costs.month_total("research", "2026-10").effective_cost_usd
    assert expected == 2 * CLUSTERS
    assert abs(recorded - world.ledger.bill(until=closed).total_usd()) < Decimal("0.001")
    assert world.calls["ListInstances"] < CLUSTERS / 10
