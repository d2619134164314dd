"""EMR's own default scaling rules against their reference values: resizes, delays and late metrics together."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.simulated import group_of, seconds

from emr_simulator.descriptions import GroupResize, GroupSpec, MetricQuery
from emr_simulator.experiment import run_experiment
from emr_simulator.words import Market, Role
from emr_simulator.workloads.swim import read_swim

DATA = Path(os.environ.get("EMR_AUTOSCALER_DATA", "../shared/data"))


class DefaultRules:
    """One node out below 15 % free memory or above 0.75 pending per container; one in above 75 % free."""

    name = "emr-default-rules"

    def prepare(self, setup):
        kind = setup.instance_type
        return (GroupSpec(role=Role.TASK, market=Market.ON_DEMAND, instance_type=kind, count=0),), {}

    def start(self, world, cluster_id):
        self.cluster_id, self.count, self.seen = cluster_id, 0, None
        self.next_look = self.cooled_at = world.now

    def next_tick(self):
        return self.next_look

    def on_events(self, world, events):
        pass

    def on_tick(self, world):
        self.next_look += timedelta(minutes=1)
        if world.now < self.cooled_at:
            return
        queries = [
            MetricQuery(query_id="free", metric="YARNMemoryAvailablePercentage", cluster_id=self.cluster_id),
            MetricQuery(query_id="pending", metric="ContainerPendingRatio", cluster_id=self.cluster_id),
        ]
        free, pending = world.cloudwatch.get_metric_data(queries, start=world.now - seconds(900), end=world.now)
        if not free.points or free.points[-1] == self.seen:
            return
        self.seen = free.points[-1]
        step = (self.seen[1] < 15 or pending.points[-1][1] > 0.75) or -(self.seen[1] > 75)
        wanted = max(0, min(100, self.count + step))
        if wanted != self.count:
            group = group_of(world, self.cluster_id)
            world.emr.modify_instance_groups(self.cluster_id, [GroupResize(group_id=group.group_id, count=wanted)])
            self.count, self.cooled_at = wanted, world.now + seconds(300)


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="no real traces: set EMR_AUTOSCALER_DATA to their folder")
def test_the_default_rules_of_emr_come_out_as_the_reference_has_them():
    workload = read_swim(DATA / "traces" / "swim_fb-2009_0.tsv")
    figures = run_experiment(policy=DefaultRules(), workload=workload, seed=1)
    assert float(figures.cost_usd) == pytest.approx(133.4, rel=0.1)
    assert figures.bsld["p95"] == pytest.approx(56.6, rel=0.1)
    assert figures.bsld["p99"] == pytest.approx(104.6, rel=0.1)
    assert figures.work_weighted_delay_seconds == pytest.approx(1716, rel=0.1)
    assert figures.resize_requests == pytest.approx(259, rel=0.1)
    assert figures.nodes_started == pytest.approx(134, rel=0.1)
