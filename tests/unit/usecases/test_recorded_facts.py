"""What record_costs keeps of an hour beside its sum: idle cost, launch times, late facts, history."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.worlds import START, calm_world, cluster, run_cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.costs import StartSource, exact_sum
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.policy import CostPolicy, Mode, Policy
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts

HOUR = timedelta(hours=1)
TAGS = {"emr-autoscaler:policy": "default", "cost-centre": "analytics"}


class Scene:
    """One opted-in cluster and the use cases looking at it."""

    def __init__(self, *, cost=None, **spec):
        self.world = calm_world()
        self.policies = MemoryPolicies(Policy(name="default", cost=cost or CostPolicy()))
        self.ports = WorldPorts(self.world, self.policies)
        self.cases = UseCases(self.ports)
        self.cluster_id = run_cluster(self.world, cluster(tags=TAGS, **spec))
        self.cases.enroll_cluster(self.cluster_id)

    def run_until(self, moment):
        self.world.run_for(moment - self.world.now)

    def record(self):
        return self.cases.record_costs([self.cluster_id])

    def hour(self, number=0):
        description = self.ports.reader.describe_cluster(self.cluster_id)
        key = (description.account_id, description.region, self.cluster_id, START + number * HOUR)
        return self.ports.costs.get_hour(*key), self.ports.costs.revisions(*key)


class Replaced:
    """A port with some methods of its own."""

    def __init__(self, port, **methods):
        self._port = port
        for name, method in methods.items():
            setattr(self, name, method)

    def __getattr__(self, name):
        return getattr(self._port, name)


@pytest.fixture
def scene():
    return Scene(task=2, spot=2)


def test_charges_of_instances_add_up_to_the_lines(scene):
    scene.run_until(START + HOUR + timedelta(minutes=5))
    (record,) = scene.record()

    _, (revision,) = scene.hour()
    assert revision.record == record
    for number, line in enumerate(record.lines):
        parts = [(p, c) for p in revision.instances for c in p.charges if c.line == number]
        seconds = sum(charge.seconds * charge.units for _, charge in parts)
        assert len({p.instance.ec2_instance_id for p, _ in parts}) == line.instances
        unit_seconds = 3600 if line.unit == "Hours" else 31 * 86400
        assert abs(line.quantity * unit_seconds - seconds) < Decimal("1e-5")
    assert {p.instance.start_source for p in revision.instances} == {StartSource.EC2_LAUNCH_TIME}


def test_every_cost_is_its_unit_price_times_the_quantity(scene):
    scene.run_until(START + HOUR + timedelta(minutes=5))
    (record,) = scene.record()
    for line in record.lines:
        assert line.effective_cost_usd == line.quantity * line.effective_unit_price_usd
        assert line.contracted_cost_usd == line.quantity * line.contracted_unit_price_usd
        assert line.list_cost_usd == line.quantity * line.list_unit_price_usd


def test_an_idle_cluster_costs_its_whole_hour_idle(scene):
    scene.run_until(START + 2 * HOUR + timedelta(minutes=5))
    scene.record()
    record, _ = scene.hour(1)
    assert record.idle.share == 1
    assert record.idle.cost_usd == record.effective_cost_usd.quantize(Decimal("1e-12"))
    assert "samples" in record.idle.basis


def test_without_metrics_there_is_no_idle_figure(scene):
    scene.run_until(START + HOUR + timedelta(minutes=5))
    scene.ports.metrics = Replaced(scene.ports.metrics, read_metrics=lambda *_args, **_options: {})
    scene.cases = UseCases(scene.ports)
    (record,) = scene.record()
    assert record.idle is None
    assert record.effective_cost_usd > 0


def test_while_cloudwatch_fails_an_hour_waits_and_is_caught_up_with_its_idle_figure(scene):
    scene.run_until(START + 2 * HOUR + timedelta(minutes=5))
    honest = scene.ports.metrics

    def fail(*_args, **_options):
        raise UnavailableError("throttled")

    scene.ports.metrics = Replaced(honest, read_metrics=fail)
    scene.cases = UseCases(scene.ports)
    with pytest.raises(UnavailableError):
        scene.record()
    assert scene.hour(1) == (None, ())
    scene.ports.metrics = honest
    scene.cases = UseCases(scene.ports)
    scene.record()
    assert scene.hour(1)[0].idle is not None


def test_an_idle_figure_known_later_is_written_with_the_instances_as_they_are_known_by_then(scene):
    metrics, compute = scene.ports.metrics, scene.ports.compute
    seen = compute.find_cluster_instances
    scene.ports.metrics = Replaced(metrics, read_metrics=lambda *_, **__: {})
    scene.ports.compute = Replaced(
        compute, find_cluster_instances=lambda c: tuple(replace(i, volume_ids=()) for i in seen(c))
    )
    scene.cases = UseCases(scene.ports)
    scene.run_until(START + HOUR + timedelta(minutes=5))
    (first,) = scene.record()
    scene.ports.metrics, scene.ports.compute = metrics, compute
    scene.cases = UseCases(scene.ports)
    scene.run_until(START + 2 * HOUR + timedelta(minutes=5))
    scene.record()

    record, revisions = scene.hour(0)
    assert (first.idle, record.idle is None, record.lines) == (None, False, first.lines)
    assert all(part.instance.volume_ids for part in revisions[-1].instances)


def test_spot_saving_is_list_less_effective_of_spot_lines(scene):
    scene.run_until(START + HOUR + timedelta(minutes=5))
    (record,) = scene.record()
    assert record.spot_saving_usd == record.list_cost_usd - record.effective_cost_usd > 0


def test_a_discount_and_coverage_are_labelled_and_leave_list_alone():
    plain, negotiated = (
        Scene(),
        Scene(
            cost=CostPolicy(
                emr_discount_percent=Decimal(10),
                ec2_discount_percent=Decimal(5),
                ec2_covered_percent=Decimal(50),
                ec2_covered_discount_percent=Decimal(40),
            )
        ),
    )
    for scene in (plain, negotiated):
        scene.run_until(START + HOUR + timedelta(minutes=5))
        scene.record()
    (before, _), (after, _) = plain.hour(), negotiated.hour()
    assert after.list_cost_usd == before.list_cost_usd == before.effective_cost_usd
    assert after.effective_cost_usd < after.contracted_cost_usd < after.list_cost_usd
    assert before.assumptions == ()
    assert len(after.assumptions) == 3
    factors = {line.component: line.effective_unit_price_usd / line.unit_price_usd for line in after.lines}
    assert factors == {
        "EMR_FEE": Decimal("0.9"),
        "EC2_ON_DEMAND": Decimal("0.775"),
        "EBS": Decimal(1),
    }


def test_a_policy_changed_later_does_not_restate_recorded_hours(scene):
    scene.run_until(START + HOUR + timedelta(minutes=5))
    (first,) = scene.record()
    scene.policies.put(Policy(name="default", cost=CostPolicy(emr_discount_percent=Decimal(50))))
    scene.run_until(START + 2 * HOUR + timedelta(minutes=5))
    scene.record()
    assert scene.hour(0)[0] == first
    assert scene.hour(1)[0].assumptions


def test_an_instance_that_ends_in_a_later_hour_restates_none_under_a_policy_changed_since(scene):
    scene.run_until(START + HOUR + timedelta(minutes=5))
    (first,) = scene.record()
    scene.policies.put(Policy(name="default", cost=CostPolicy(emr_discount_percent=Decimal(50))))
    (spot,) = (g for g in scene.ports.reader.list_instance_groups(scene.cluster_id) if g.market is Market.SPOT)
    shrink = GroupTarget(
        group_id=spot.group_id, count=0, previous_count=spot.requested_count, decommission_timeout=HOUR / 4
    )
    scene.ports.actuators[Mode.LIVE].resize_groups(scene.cluster_id, [shrink])
    scene.run_until(START + 2 * HOUR + timedelta(minutes=5))
    scene.record()
    assert scene.hour(0)[0] == first
    assert {p.instance.ended_at is None for p in scene.hour(1)[1][-1].instances} == {True, False}


def test_a_launch_time_that_ec2_has_forgotten_stays_as_recorded(scene):
    scene.run_until(START + HOUR + timedelta(minutes=5))
    (first,) = scene.record()
    scene.ports.compute = Replaced(scene.ports.compute, find_cluster_instances=lambda _id: ())
    scene.cases = UseCases(scene.ports)
    scene.run_until(START + 2 * HOUR + timedelta(minutes=5))
    scene.record()

    record, revisions = scene.hour(0)
    assert record == first
    assert len(revisions) == 1
    later = scene.hour(1)[1][-1]
    assert {p.instance.start_source for p in later.instances} == {StartSource.EC2_LAUNCH_TIME}


def test_an_instance_listed_late_restates_the_hour_it_lived_in(scene):
    honest = scene.ports.reader
    scene.ports.reader = Replaced(honest, list_instances=lambda c: honest.list_instances(c)[:-1])
    scene.cases = UseCases(scene.ports)
    scene.run_until(START + HOUR + timedelta(minutes=5))
    (short,) = scene.record()
    scene.ports.reader = honest
    scene.cases = UseCases(scene.ports)
    scene.run_until(START + 2 * HOUR + timedelta(minutes=5))
    scene.record()

    record, revisions = scene.hour(0)
    assert record.revision == 2
    assert record.effective_cost_usd > short.effective_cost_usd
    assert [r.record.effective_cost_usd for r in revisions] == [
        short.effective_cost_usd,
        record.effective_cost_usd,
    ]


def test_an_instance_that_is_not_listed_any_more_stays_in_its_hour(scene):
    scene.run_until(START + HOUR + timedelta(minutes=5))
    (whole,) = scene.record()
    honest = scene.ports.reader
    scene.ports.reader = Replaced(honest, list_instances=lambda c: honest.list_instances(c)[:-1])
    scene.cases = UseCases(scene.ports)
    scene.run_until(START + 2 * HOUR + timedelta(minutes=5))
    scene.record()
    assert scene.hour(0)[0] == whole


def test_a_changed_cost_centre_pays_from_the_next_hour_on(scene):
    scene.run_until(START + HOUR + timedelta(minutes=5))
    scene.record()
    entry = scene.ports.registry.get(scene.cluster_id)
    scene.ports.registry.put(replace(entry, cost_centre="research"))
    scene.run_until(START + 2 * HOUR + timedelta(minutes=5))
    scene.record()
    assert [scene.hour(n)[0].cost_centre for n in (0, 1)] == ["analytics", "research"]


def test_a_cluster_that_ended_before_anybody_looked_is_recorded():
    world = calm_world()
    ports = WorldPorts(world, MemoryPolicies(Policy(name="default")))
    cases = UseCases(ports)
    cluster_id = world.emr.run_job_flow(cluster(tags=TAGS))
    world.run_for(timedelta(minutes=7))
    world.emr.terminate_job_flows([cluster_id])
    world.run_for(timedelta(minutes=5))

    assert cases.enroll_cluster(cluster_id) is not None
    world.run_for(3 * HOUR)
    written = cases.record_costs([cluster_id])

    recorded = exact_sum(record.effective_cost_usd for record in written)
    assert recorded > 0
    assert abs(recorded - world.ledger.bill().total_usd(cluster_id=cluster_id)) < Decimal("0.000001")
    assert ports.registry.get(cluster_id).cost_closed


def test_the_sweep_finds_clusters_that_lived_between_two_sweeps():
    world = calm_world()
    ports = WorldPorts(world, MemoryPolicies(Policy(name="default")))
    cases = UseCases(ports)
    cluster_id = world.emr.run_job_flow(cluster(tags=TAGS))
    world.run_for(timedelta(minutes=6))
    world.emr.terminate_job_flows([cluster_id])
    world.run_for(timedelta(minutes=4))

    cases.sweep_fleet(full=True)
    assert ports.registry.get(cluster_id) is not None
