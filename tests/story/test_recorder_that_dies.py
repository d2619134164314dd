"""Random histories against the World's own bill, while the recorder dies before and after any of its calls."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.worlds import CALM, START
from tests.support.worlds import cluster as cluster_spec

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.policy import Policy
from emr_simulator.descriptions import GroupResize
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts
from emr_simulator.words import Market, Role
from emr_simulator.world import World

HOURS = 6
HOUR = timedelta(hours=1)
TAGS = {"emr-autoscaler:policy": "default", "cost-centre": "analytics"}
FRAGILE = ("reader", "compute", "metrics", "registry", "costs", "price_list")


class DiedError(Exception):
    """The recorder's process is gone."""


class Life:
    """How many more calls the recorder lives for; None is for ever."""

    def __init__(self):
        self.calls_left = None

    def spend(self):
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                raise DiedError


class Mortal:
    """A port whose caller may die before or after any call."""

    def __init__(self, port, life):
        self._port, self._life = port, life

    def __getattr__(self, name):
        method = getattr(self._port, name)

        def call(*args, **options):
            self._life.spend()
            answer = method(*args, **options)
            self._life.spend()
            return answer

        return call


class MortalPorts:
    def __init__(self, ports, life):
        self._ports = ports
        for name in FRAGILE:
            setattr(self, name, Mortal(getattr(ports, name), life))

    def __getattr__(self, name):
        return getattr(self._ports, name)


def shake(world, cluster_id, chance):
    """Something that happens to a cluster: a resize, an interruption, or nothing."""
    inside = world.inside(cluster_id)
    tasks = [g for g in inside.groups.values() if g.spec.role is Role.TASK]
    match chance.randrange(3):
        case 0:
            group = chance.choice(tasks)
            order = GroupResize(group_id=group.group_id, count=chance.randrange(5))
            world.emr.modify_instance_groups(cluster_id, [order])
        case 1:
            running = [
                node
                for node in inside.nodes()
                if node.group.spec.market is Market.SPOT and node.launched_at and node.ended_at is None
            ]
            if running:
                world.warn_spot_interruption(chance.choice(running).ec2_id)


@pytest.mark.parametrize("seed", range(4))
def test_the_record_equals_the_bill_however_often_the_recorder_dies(seed):
    chance = random.Random(seed)
    world = World(seed=seed, start=START, settings=replace(CALM, spot_prices_move=True))
    ports, life = WorldPorts(world, MemoryPolicies(Policy(name="default"))), Life()
    cases = UseCases(MortalPorts(ports, life))
    ids = [world.emr.run_job_flow(cluster_spec(task=2, spot=3, tags=TAGS)) for _ in range(2)]
    for cluster_id in ids:
        UseCases(ports).enroll_cluster(cluster_id)
    ended = chance.randrange(2, HOURS - 1)
    deaths, alive = 0, ids
    for hour in range(HOURS):
        for _ in range(6):
            world.run_for(timedelta(seconds=chance.randrange(60, 600)))
            for cluster_id in alive if hour else ():
                shake(world, cluster_id, chance)
        if hour == ended:
            world.emr.terminate_job_flows(ids[:1])
            alive = ids[1:]
        world.run_until(START + (hour + 1) * HOUR + timedelta(minutes=5))
        for _ in range(chance.randrange(5)):
            life.calls_left = chance.randrange(60)
            try:
                cases.record_costs()
            except DiedError:
                deaths += 1
        life.calls_left = None
        for _ in range(chance.randrange(1, 3)):  # Lambda starts it again, sometimes twice
            cases.record_costs()
    world.run_for(3 * HOUR)
    cases.record_costs()

    assert deaths > 0
    closed = world.now.replace(minute=0, second=0, microsecond=0)
    own, theirs = defaultdict(Decimal), defaultdict(Decimal)
    for record in ports.costs.hours_of_account(ports.account_id, "2026-10"):
        for line in record.lines:
            own[record.cluster_id, record.hour, line.group_id, line.component.value] += line.effective_cost_usd
    for line in world.ledger.bill(until=closed).lines:
        theirs[line.cluster_id, line.hour, line.group_id, line.component.value] += line.usd
    assert {key: total for key, total in own.items() if abs(total - theirs[key]) > Decimal("0.000001")} == {}
    assert {key for key, usd in theirs.items() if usd and key not in own} == set()
    total = ports.costs.month_total("analytics", "2026-10").effective_cost_usd
    assert abs(total - sum(theirs.values())) < Decimal("0.0001")
