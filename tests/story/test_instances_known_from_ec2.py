"""Cost hours from what EC2 knows: EMR lists instances only where EC2 leaves open what money depends on."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.worlds import CALM, START
from tests.support.worlds import cluster as cluster_spec

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.costs import EndSource
from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.policy import Policy
from emr_simulator.descriptions import GroupResize
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts
from emr_simulator.words import Market, Role
from emr_simulator.world import World

HOUR = timedelta(hours=1)
TAGS = {"emr-autoscaler:policy": "default", "cost-centre": "analytics"}


class Hourly:
    """One cluster, recorded at five past each hour by the schedule."""

    def __init__(self, **spec):
        self.world = World(
            seed=3, start=START + timedelta(minutes=10), settings=replace(CALM, spot_prices_move=True)
        )
        self.ports = WorldPorts(self.world, MemoryPolicies(Policy(name="default")))
        self.cluster_id = self.world.emr.run_job_flow(cluster_spec(**{"task": 2, "spot": 2, "tags": TAGS, **spec}))
        UseCases(self.ports).enroll_cluster(self.cluster_id)

    def to(self, hours, minutes=5):
        self.world.run_until(START + timedelta(hours=hours, minutes=minutes))

    def record(self):
        return UseCases(self.ports).record_costs()

    @property
    def lists(self):
        return self.world.calls["ListInstances"]

    def resize(self, count, market=Market.SPOT):
        inside = self.world.inside(self.cluster_id)
        group = next(g for g in inside.groups.values() if g.spec.role is Role.TASK and g.spec.market is market)
        self.world.emr.modify_instance_groups(self.cluster_id, [GroupResize(group_id=group.group_id, count=count)])

    def interrupt(self):
        inside = self.world.inside(self.cluster_id)
        node = next(
            n
            for n in inside.nodes()
            if n.group.spec.market is Market.SPOT and n.launched_at and n.ended_at is None
        )
        self.world.warn_spot_interruption(node.ec2_id)

    def is_billed_right(self):
        closed = self.world.now.replace(minute=0, second=0, microsecond=0)
        recorded = self.ports.costs.month_total("analytics", "2026-10").effective_cost_usd
        return abs(recorded - self.world.ledger.bill(until=closed).total_usd()) < Decimal("0.0001")

    def instances(self, hour):
        key = (self.ports.account_id, self.ports.region, self.cluster_id, START + hour * HOUR)
        return [part.instance for part in self.ports.costs.revisions(*key)[-1].instances]


def test_a_young_cluster_is_recorded_without_asking_emr() -> None:
    scene = Hourly()
    scene.to(1)
    assert len(scene.record()) == 1
    assert (scene.lists, scene.is_billed_right()) == (0, True)


def test_growing_and_shrinking_is_recorded_without_asking_emr() -> None:
    scene = Hourly()
    for hour, count in enumerate((5, 1, 4, 0, 2), start=1):
        scene.to(hour, minutes=0)
        scene.resize(count)
        scene.to(hour)
        scene.record()
        scene.to(hour, minutes=20)
        scene.resize(count + 1, Market.ON_DEMAND)
    scene.to(6)
    scene.record()
    assert (scene.lists, scene.is_billed_right()) == (0, True)


def test_ends_that_ec2_dates_say_so() -> None:
    scene = Hourly()
    scene.to(0, minutes=30)
    scene.resize(0)
    scene.to(1)
    scene.record()
    ended = [i for i in scene.instances(0) if i.ended_at is not None]
    assert [i.end_source for i in ended] == [EndSource.EC2_SHUTDOWN_TIME] * 2


def test_an_instance_that_aws_took_back_is_listed_for_ec2_does_not_date_its_end() -> None:
    scene = Hourly()
    scene.to(0, minutes=30)
    scene.interrupt()
    scene.to(1)
    scene.record()
    scene.to(2)
    scene.record()
    assert (scene.lists, scene.is_billed_right()) == (1, True)


def test_an_instance_that_ec2_has_forgotten_is_looked_for_at_emr() -> None:
    scene = Hourly()
    scene.to(1)
    scene.record()
    scene.resize(0)
    scene.to(2, minutes=40)
    scene.record()
    assert (scene.lists, scene.is_billed_right()) == (1, True)


def test_a_recorder_that_was_away_longer_than_ec2_remembers_asks_emr() -> None:
    scene = Hourly()
    scene.to(1)
    scene.record()
    scene.resize(6)
    scene.to(1, minutes=30)
    scene.resize(2)
    scene.to(4)
    scene.record()
    assert (scene.lists, scene.is_billed_right()) == (1, True)


def test_an_older_cluster_is_listed_when_it_is_met() -> None:
    scene = Hourly()
    scene.to(3)
    scene.record()
    assert (scene.lists, scene.is_billed_right()) == (1, True)


def test_a_new_instance_that_two_groups_could_have_is_listed() -> None:
    scene = Hourly()
    entry = scene.ports.registry.get(scene.cluster_id)
    twin = next(g for g in entry.groups if g.name == "spot")
    scene.ports.registry.put(replace(entry, groups=(*entry.groups, replace(twin, group_id="ig-TWIN"))))
    scene.to(1)
    scene.record()
    assert (scene.lists, scene.is_billed_right()) == (1, True)


def test_every_half_a_day_emr_lists_and_what_was_missed_is_restated() -> None:
    scene = Hourly()
    scene.to(1)
    honest = scene.ports.compute.find_cluster_instances
    for hour in range(1, 14):
        scene.to(hour)
        # EC2 never shows one of them: nothing else would tell.
        scene.ports.compute.find_cluster_instances = lambda c: honest(c)[:-1]
        scene.record()
    assert scene.lists == 1
    assert scene.is_billed_right()
    assert scene.ports.registry.get(scene.cluster_id).instances_listed_at == scene.world.now


def test_while_the_quota_is_used_up_a_routine_list_waits_and_the_hour_is_recorded() -> None:
    scene = Hourly()
    honest, asked = scene.ports.reader.list_instances, []

    def throttled(cluster_id):
        asked.append(cluster_id)
        raise UnavailableError("throttled")

    for hour in range(1, 15):
        scene.to(hour)
        scene.ports.reader.list_instances = throttled if hour < 14 else honest
        scene.record()
    assert len(asked) == 1
    assert (scene.lists, scene.is_billed_right()) == (1, True)


def test_an_ended_cluster_is_listed_whatever_ec2_says() -> None:
    scene = Hourly()
    scene.to(1)
    scene.record()
    scene.world.emr.terminate_job_flows([scene.cluster_id])
    scene.world.run_for(timedelta(minutes=10))
    UseCases(scene.ports).enroll_cluster(scene.cluster_id)
    scene.to(2)
    scene.record()
    assert (scene.lists, scene.is_billed_right()) == (1, True)


@pytest.mark.parametrize("seen", [0, 1])
def test_a_named_cluster_is_always_listed(seen: int) -> None:
    scene = Hourly()
    for hour in range(1, 2 + seen):
        scene.to(hour)
        UseCases(scene.ports).record_costs([scene.cluster_id])
    assert (scene.lists, scene.is_billed_right()) == (1 + seen, True)
