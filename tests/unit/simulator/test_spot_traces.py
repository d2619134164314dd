"""Recorded spot markets: how they are read and replayed, and that the generator is like them."""

import json
import os
import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from statistics import fmean, median

import pytest
from tests.support.simulated import START, a_cluster, a_world, events_of, group_of, resize, seconds

from emr_simulator.errors import TraceError
from emr_simulator.experiment import Setup, run_experiment, settings_of
from emr_simulator.policies.registry import policy_of
from emr_simulator.settings import SpotOutages
from emr_simulator.spot_traces import SpotTrace, read_spot_trace
from emr_simulator.words import BillComponent, InstanceState, Market
from emr_simulator.workloads.synthetic import synthetic_day

DATA = Path(os.environ.get("EMR_AUTOSCALER_DATA", "../shared/data"))
RECORDED = sorted((DATA / "spot").glob("*.json")) if DATA.exists() else []
POOL = ("m5.xlarge", "us-east-1a")

TRACE = SpotTrace(
    name="hand",
    seconds=4000,
    outages=((1000, 1600), (3000, 3100)),
    prices=((0, Decimal("0.30")), (2000, Decimal("0.60"))),
    on_demand_usd=Decimal("1.20"),
)
"""m5.xlarge costs 0.192 USD on demand: 0.048 and 0.096 on spot here."""


def a_file(tmp_path, **changes):
    document = {"metadata": {"gap_seconds": 10}, "data": [0, 1, 1, 0, 1], "prices": [0.3, 0.3, 0.4, 0.4, 0.3]}
    path = tmp_path / "pool.json"
    path.write_text(json.dumps({**document, **changes}))
    return path


def test_a_recording_is_read_as_outages_and_price_steps(tmp_path):
    trace = read_spot_trace(a_file(tmp_path))
    assert (trace.name, trace.seconds) == ("pool.json", 50)
    assert trace.outages == ((0, 10), (30, 40))
    assert trace.prices == ((0, Decimal("0.3")), (20, Decimal("0.4")), (40, Decimal("0.3")))
    assert trace.mean_usd == Decimal("0.34")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"metadata": {"gap_seconds": 0}}, "metadata.gap_seconds"),
        ({"metadata": []}, "metadata.gap_seconds"),
        ({"data": [0, 1, 2, 1, 0]}, "data"),
        ({"data": []}, "data"),
        ({"prices": [0.3]}, "prices"),
        ({"prices": [0.3, 0.3, "much", 0.3, 0.3]}, "prices"),
    ],
)
def test_a_recording_that_cannot_be_read_is_refused_by_file_and_field(tmp_path, changes, field):
    with pytest.raises(TraceError, match=f"pool.json.*{field}"):
        read_spot_trace(a_file(tmp_path, **changes))


def test_a_file_that_is_not_json_is_refused(tmp_path):
    path = tmp_path / "pool.json"
    path.write_text("up,down")
    with pytest.raises(TraceError, match="not JSON"):
        read_spot_trace(path)


def test_a_recording_begins_again_at_its_end():
    assert list(islice(TRACE.outages_from(0), 3)) == [(1000, 1600), (3000, 3100), (5000, 5600)]
    assert list(islice(TRACE.prices_from(3000), 3)) == [
        (2000, Decimal("0.60")),
        (4000, Decimal("0.30")),
        (6000, Decimal("0.60")),
    ]
    assert next(TRACE.prices_from(-1)) == (-2000, Decimal("0.60"))
    assert next(TRACE.outages_from(1599)) == (1000, 1600)
    assert next(TRACE.outages_from(1600)) == (3000, 3100)


def test_a_world_shows_the_recorded_prices_at_its_own_types_level():
    world = a_world(spot_traces={POOL: TRACE})
    world.run_for(seconds(4500))
    prices = world.ec2.describe_spot_price_history(
        instance_types=[POOL[0]], availability_zone=POOL[1], start=START, end=world.now
    )
    shown = [((price.at - START).total_seconds(), price.usd_per_hour) for price in reversed(prices)]
    assert shown == [(0, Decimal("0.0480")), (2000, Decimal("0.0960")), (4000, Decimal("0.0480"))]


def test_prices_without_an_on_demand_price_move_around_the_usual_discount():
    plain = SpotTrace(name="plain", seconds=100, outages=(), prices=((0, Decimal(2)),))
    world = a_world(spot_traces={POOL: plain})
    (price,) = world.ec2.describe_spot_price_history(
        instance_types=[POOL[0]], availability_zone=POOL[1], start=START, end=START + seconds(1)
    )
    assert price.usd_per_hour == Decimal("0.0672")


def test_a_recorded_outage_takes_every_node_of_the_pool_and_gives_none():
    world = a_world(spot_traces={POOL: TRACE})
    cluster_id = a_cluster(world, task=3)
    world.run_until(START + seconds(999))
    assert events_of(world, "EC2 Spot Instance Interruption Warning") == []
    world.run_until(START + seconds(1000))
    warned = events_of(world, "EC2 Spot Instance Interruption Warning")
    assert len(warned) == 3
    group = group_of(world, cluster_id)
    world.run_until(START + seconds(1599))
    assert {node.state for node in group.nodes} == {InstanceState.AWAITING_FULFILLMENT}
    world.run_until(START + seconds(2200))
    assert group.running == 3


def test_a_pool_first_used_in_the_middle_of_an_outage_is_dry():
    world = a_world(spot_traces={POOL: TRACE})
    cluster_id = a_cluster(world)
    world.run_until(START + seconds(1200))
    group = resize(world, cluster_id, 2)
    world.run_until(START + seconds(1599))
    assert {node.state for node in group.nodes} == {InstanceState.AWAITING_FULFILLMENT}
    world.run_until(START + seconds(2000))
    assert group.running == 2


def test_a_recording_of_one_pool_leaves_the_others_alone():
    world = a_world(spot_traces={("m5.2xlarge", POOL[1]): TRACE})
    a_cluster(world, task=2)
    world.run_until(START + seconds(5000))
    assert events_of(world, "EC2 Spot Instance Interruption Warning") == []


def test_the_bill_follows_the_recorded_price():
    world = a_world(spot_traces={POOL: replace(TRACE, outages=())})
    cluster_id = a_cluster(world, task=1)
    (node,) = group_of(world, cluster_id).nodes
    world.run_until(START + seconds(2600))
    billed = world.ledger.bill().total_usd(component=BillComponent.EC2_SPOT)
    launched = node.launched_at - int(START.timestamp())
    assert float(billed) == pytest.approx(((2000 - launched) * 0.048 + 600 * 0.096) / 3600)


def test_an_experiment_on_a_recorded_pool_runs_on_spot_and_falls_back_on_demand():
    setup = Setup(maximum_task_count=10, market=Market.SPOT)
    gone = SpotTrace(name="gone", seconds=86400, outages=((5400, 86400),), prices=TRACE.prices)
    world = settings_of(setup)
    traces = {(setup.instance_type, zone): gone for zone in world.zones}
    work = synthetic_day(seed=1, start_hour=12, hours=2, scale=6)
    figures = run_experiment(
        policy=policy_of("emr-autoscaler", work),
        workload=work,
        seed=1,
        setup=setup,
        settings=replace(world, spot_traces=traces),
    )
    assert 0 < figures.spot_share < 1


# ---------------------------------------------------------------------- the generator against recordings


@pytest.mark.data
@pytest.mark.skipif(not RECORDED, reason="no recordings: set EMR_AUTOSCALER_DATA to the folder that holds spot/")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_fitted_generator_draws_spells_like_the_recorded_ones(path):
    measured = read_spot_trace(path).availability()
    chance, outages = random.Random(1), SpotOutages.fitted_to(measured)
    ups, downs = ([draw(chance) for _ in range(20_000)] for draw in (outages.draw_up, outages.draw_down))
    assert fmean(ups) == pytest.approx(measured.mean_up_seconds, rel=0.1)
    assert median(ups) == pytest.approx(measured.median_up_seconds, rel=0.1)
    assert fmean(downs) == pytest.approx(measured.mean_down_seconds, rel=0.1)
    assert median(downs) == pytest.approx(measured.median_down_seconds, rel=0.1)


@pytest.mark.data
@pytest.mark.skipif(not RECORDED, reason="no recordings: set EMR_AUTOSCALER_DATA to the folder that holds spot/")
def test_outages_of_the_default_generator_lie_between_those_recorded():
    recorded = [read_spot_trace(path).availability() for path in RECORDED]
    default = SpotOutages()
    for field in ("mean_down_seconds", "median_down_seconds"):
        values = [getattr(one, field) for one in recorded]
        assert min(values) <= getattr(default, field) <= max(values)
    assert default.mean_up_seconds > min(one.mean_up_seconds for one in recorded)


def test_interruptions_of_a_pool_fall_within_minutes_of_each_other():
    # Facts: more than 92 % of interruptions that share a pool lie within three minutes of another one's.
    world = a_world(spot_outages=SpotOutages(mean_up_seconds=4000.0))
    clusters = [a_cluster(world, task=3) for _ in range(2)]
    world.run_for(timedelta(hours=12))
    times = sorted(event["time"] for event in events_of(world, "EC2 Spot Instance Interruption Warning"))
    assert len(clusters) == 2
    assert len(times) >= 6
    assert all(times.count(time) >= 2 for time in times)
