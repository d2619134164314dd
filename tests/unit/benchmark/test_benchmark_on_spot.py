"""A benchmark on spot: pairs of the same work and seed, recordings that pools play in turn, tables and page."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from emr_simulator.benchmark.cells import Cell, Variant
from emr_simulator.benchmark.command import Plan, run_benchmark
from emr_simulator.benchmark.results import Results
from emr_simulator.benchmark.runner import run_cells
from emr_simulator.benchmark.spot_market import SpotMarket, played_by
from emr_simulator.benchmark.spot_rows import GOAL, Pair, knows_markets, spot_row
from emr_simulator.benchmark.statistics import mean_interval
from emr_simulator.benchmark.tables import tables_of
from emr_simulator.benchmark.work import LongTasks, digest_of, workload_of
from emr_simulator.experiment import Setup
from emr_simulator.report.benchmark_page import benchmark_page
from emr_simulator.spot_traces import SpotTrace

POOLS = ("m5a.xlarge", "m6a.xlarge", "m5.xlarge")
CALM = SpotMarket(pools=POOLS, outage_hours=24.0)
SETUP = Setup(maximum_task_count=12)
OWN, OTHER = Variant(policy="emr-autoscaler"), Variant(policy="drain-time:240,180")
DAY = LongTasks(day=1)


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Plan:
    return Plan(
        traces=(DAY, LongTasks(day=2)),
        variants=(OWN, OTHER),
        seeds=1,
        setup=SETUP,
        out=tmp_path_factory.mktemp("spot"),
        processes=1,
        hours=1.5,
        markets=(CALM,),
    )


@pytest.fixture(scope="module")
def document(plan):
    return run_benchmark(plan, when_done=lambda cell, kept: None)


def test_policies_that_know_of_markets_run_on_spot_beside_their_twins_on_demand(plan) -> None:
    assert {(market, variant) for market, variant in plan.twins} == {(CALM, OWN)}
    for spot, on_demand in plan.twins[CALM, OWN]:
        assert spot == replace(on_demand, spot=CALM)
        assert on_demand.spot is None
    assert len(plan.cells) == 2 * 2 + 2
    assert not knows_markets(OTHER)


def test_what_is_compared_is_paired_and_judged_by_the_goal(document) -> None:
    (row,) = document["spot"]["rows"]
    assert (row["policy"], row["market"], row["pairs"]) == ("emr-autoscaler", "outages every 24 h", 2)
    assert 0.3 < row["cost"]["value"] < 0.9
    assert row["spot_share"]["value"] > 0.9
    assert row["spot_price"] == pytest.approx(row["cost"]["value"] / row["node_hours"]["value"], rel=0.1)
    assert row["meets"] == {name: row[name]["value"] <= aimed for name, aimed in GOAL.items()}
    assert sum(row["usd"].values()) < sum(row["on_demand_usd"].values())


def test_runs_on_spot_are_no_entries_of_the_trace_and_not_judged_by_the_on_demand_optimum(document) -> None:
    for trace in document["traces"]:
        assert [entry["policy"] for entry in trace["policies"]] == [OWN.label, OTHER.label]
        assert all(entry["below_optimum"] == 0 for entry in trace["policies"])


def test_tables_and_page_have_a_part_of_their_own(document) -> None:
    text = tables_of([document])
    heading, (row,) = "## On spot", [line for line in text.splitlines() if "outages every 24 h |" in line]
    assert heading in text
    assert row.startswith("| `emr-autoscaler` |")
    assert "2 pairs of work and seed" in text
    page = benchmark_page(document)
    assert "<h2>On spot</h2>" in page
    assert "On spot: where the money went" in page


def test_without_a_market_there_is_no_such_part(plan, tmp_path) -> None:
    alone = run_benchmark(
        replace(plan, markets=(), variants=(OTHER,), traces=(DAY,), out=tmp_path),
        when_done=lambda cell, kept: None,
    )
    assert alone["spot"] is None
    assert "On spot" not in tables_of([alone])
    assert "On spot" not in benchmark_page(alone)


def test_work_that_ran_again_is_part_of_all_work() -> None:
    workload = workload_of(DAY, SETUP.container_mib, 0.5)
    work = sum(job.work_seconds for job in workload.jobs)
    twin = Cell(variant=OWN, trace=DAY, seed=1)
    figures = {
        "cost_usd": 10.0,
        "node_hours": 40.0,
        "spot_share": 0.0,
        "bsld": {"p95": 2.0},
        "work_weighted_delay_seconds": 60.0,
        "resize_requests": 4,
        "killed_container_seconds": 0,
    }
    run = {"figures": figures, "money": {"working": 9.0, "idle": 0.0, "booting": 1.0, "draining": 0.0}}
    spot_run = {
        **run,
        "figures": {**figures, "cost_usd": 5.0, "spot_share": 1.0, "killed_container_seconds": work / 50},
    }
    on_spot = replace(twin, spot=CALM)
    row = spot_row(
        CALM, OWN, [Pair(spot=on_spot, on_demand=twin, workload=workload)], {twin: run, on_spot: spot_run}
    )
    assert row["run_again"]["value"] == pytest.approx(0.02, abs=1e-3)
    assert (row["cost"]["value"], row["spot_price"]) == (0.5, 0.5)
    never = spot_row(CALM, OWN, [Pair(spot=on_spot, on_demand=twin, workload=workload)], {twin: run, on_spot: run})
    assert never["spot_price"] is None


def test_results_on_disk_tell_markets_and_days_apart(tmp_path) -> None:
    kept: list[bool] = []
    results = Results(tmp_path, SETUP, hours=0.5)
    cell = Cell(variant=OWN, trace=DAY, seed=1, spot=CALM)
    for _ in range(2):
        run_cells(
            [cell],
            setup=SETUP,
            results=results,
            processes=1,
            hours=0.5,
            when_done=lambda _cell, was_kept: kept.append(was_kept),
        )
    assert kept == [False, True]
    others = (
        replace(cell, spot=None),
        replace(cell, spot=SpotMarket(pools=POOLS)),
        replace(cell, trace=LongTasks(day=2)),
    )
    assert [results.get(other) for other in others] == [None] * 3
    assert digest_of(DAY) != digest_of(LongTasks(day=2))


def a_recording() -> SpotTrace:
    return SpotTrace(
        name="r",
        seconds=1000,
        outages=((100, 200), (450, 550), (900, 1000)),
        prices=((0, Decimal(1)), (600, Decimal(2))),
    )


def test_a_recording_that_begins_elsewhere_is_the_same_market_moved() -> None:
    moved = a_recording().beginning_at(500)
    assert moved.outages == ((0, 50), (400, 500), (600, 700), (950, 1000))
    assert moved.prices == ((0, Decimal(1)), (100, Decimal(2)), (500, Decimal(1)))
    assert moved.mean_usd == a_recording().mean_usd
    assert a_recording().beginning_at(1000) == a_recording()


def test_pools_play_the_recordings_in_turn_and_none_two_at_once() -> None:
    other = replace(a_recording(), name="s", outages=((10, 20),))
    played = played_by(("a", "b", "c", "d"), [a_recording(), other])
    assert [played[pool].name for pool in "abcd"] == ["r", "s", "r", "s"]
    assert played["a"] == a_recording()
    assert played["c"].outages != played["a"].outages


def test_a_recorded_market_replays_in_every_zone(tmp_path) -> None:
    path = tmp_path / "market.json"
    path.write_text(
        json.dumps({"metadata": {"gap_seconds": 60}, "data": [1, 0, 1, 1], "prices": [0.1, 0.1, 0.2, 0.2]})
    )
    market = SpotMarket(pools=POOLS, recordings=(path,))
    settings = market.settings_in(SETUP)
    assert settings.spot_outages is None
    assert {pool for pool, _zone in settings.spot_traces} == set(POOLS)
    assert market.label == "recorded outages"
    path.with_name("other.json").write_text(path.read_text() + " ")
    assert SpotMarket(pools=POOLS, recordings=(path.with_name("other.json"),)).key != market.key


def test_a_mean_lies_in_its_interval() -> None:
    interval = mean_interval([1.0, 2.0, 6.0])
    assert (interval.value, interval.low <= 3.0 <= interval.high) == (3.0, True)


def test_a_trace_keeps_its_digest(tmp_path) -> None:
    path: Path = tmp_path / "t.tsv"
    path.write_text("x")
    assert len(digest_of(path)) == 64
