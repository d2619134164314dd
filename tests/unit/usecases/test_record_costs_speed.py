"""A cluster-hour of 2,000 instances: how long recording it takes, how much is stored, how often AWS is asked."""

import json
import logging
import time
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.fixed_clock import FixedClock
from tests.support.samples import T0, cluster, registry_entry
from tests.support.worlds import calm_world

from emr_autoscaler.adapters.cost_history_items import revision_items, revisions_of
from emr_autoscaler.adapters.cost_items import hour_item
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.cluster import Instance, InstanceState, Market, Role, Volume
from emr_autoscaler.domain.cost_history import HourRevision
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.domain.price_book import Component, Price, PriceKey
from emr_autoscaler.ports import ComputeInstance
from emr_simulator.inprocess.costs import MemoryCosts
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts

LOG = logging.getLogger(__name__)
COUNT = 2000
REGION = "eu-central-1"


class Fleet:
    """2,000 instances in 40 groups, half of them on spot whose price moves four times an hour."""

    def __init__(self):
        self.calls = Counter()
        disk = (Volume(volume_type="gp3", size_gib=64), Volume(volume_type="gp3", size_gib=64))
        self.instances = tuple(
            Instance(
                ec2_instance_id=f"i-{number * 2654435761 % 2**68:017x}",
                group_id=f"ig-{number % 40}",
                market=Market.SPOT if number % 2 else Market.ON_DEMAND,
                instance_type="m5.xlarge",
                state=InstanceState.RUNNING,
                created_at=T0 + timedelta(seconds=number % 1800),
                volumes=disk,
            )
            for number in range(COUNT)
        )

    def list_instances(self, _cluster_id):
        self.calls["ListInstances walk"] += 1
        return self.instances

    def find_cluster_instances(self, cluster_id):
        self.calls["DescribeInstances walk"] += 1
        return tuple(
            ComputeInstance(
                ec2_instance_id=i.ec2_instance_id,
                cluster_id=cluster_id,
                role=Role.TASK,
                instance_type=i.instance_type,
                availability_zone=f"{REGION}a",
                market=i.market,
                launched_at=i.created_at + timedelta(seconds=7),
                interrupted=False,
                volume_ids=tuple(f"vol-{hash((i.ec2_instance_id, n)) % 2**68:017x}" for n in range(3)),
            )
            for i in self.instances
        )

    def spot_prices(self, types, zone, *, start, end):
        key = PriceKey(component=Component.EC2_SPOT, region=REGION, item=types[0], availability_zone=zone)
        steps = [start + n * timedelta(minutes=15) for n in range((end - start) // timedelta(minutes=15))]
        return tuple(
            Price(
                key=key, usd=Decimal(7 + at.minute) / 100, unit="Hours", effective_from=at, source="spot history"
            )
            for at in steps
        )

    def look_up(self, keys):
        return tuple(
            Price(key=k, usd=Decimal("0.1"), unit="Hours", effective_from=T0 - timedelta(days=9), source="list")
            for k in keys
        )


class PackingCosts(MemoryCosts):
    """Packs and unpacks items as the DynamoDB store does; a simulated database would cost time of its own."""

    def __init__(self):
        super().__init__()
        self._packed = {}
        self._table = Table(None, "costs")
        self.item_bytes = []

    def put_hour(self, record, instances=()):
        stored = super().put_hour(record, instances)
        items = revision_items(HourRevision(record=stored, instances=tuple(instances)))
        for item in (hour_item(stored), *items):
            self.item_bytes.append(
                len(json.dumps(self._table.dump(item), default=lambda raw: "b" * len(bytes(raw))))
            )
        self._packed[stored.hour] = items
        return stored

    def revisions(self, account_id, region, cluster_id, hour, *, latest_only=False):
        return revisions_of(self._packed.get(hour, ()))


@pytest.mark.parametrize(("named", "walks"), [(["j-1"], 3), (None, 1)])
def test_a_cluster_hour_of_two_thousand_instances_takes_few_walks(named, walks):
    """Each walk over ListInstances is one; the schedule needs it for the first hour only.

    The seconds are printed, not judged: a slow machine is no reason to fail.
    """
    fleet = Fleet()
    ports = WorldPorts(calm_world(), MemoryPolicies(Policy(name="default")))
    ports.clock = FixedClock(T0 + timedelta(hours=1, minutes=5))
    ports.reader = ports.compute = ports.price_list = fleet
    ports.costs = costs = PackingCosts()
    ports.registry.put(registry_entry("j-1", cluster=cluster("j-1", availability_zone=f"{REGION}a")))

    class NoMetrics:
        def read_metrics(self, *_args, **_options):
            return {}

    ports.metrics = NoMetrics()
    record = UseCases(ports).record_costs
    times = []
    for hour in (1, 2, 3):
        ports.clock.set(T0 + timedelta(hours=hour, minutes=5))
        began = time.process_time()
        (written,) = record(named)
        times.append(time.process_time() - began)
        assert sum(line.instances for line in written.lines if line.component is Component.EMR_FEE) == COUNT

    told = ", ".join(f"{seconds:.2f}" for seconds in times)
    LOG.info("processor seconds of three hours: %s; largest item %d bytes", told, max(costs.item_bytes))
    assert fleet.calls["ListInstances walk"] == walks
    assert max(costs.item_bytes) < 400_000
