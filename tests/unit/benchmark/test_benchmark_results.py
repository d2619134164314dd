"""Cells, what is kept of them, statistics and the document of a benchmark."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from emr_simulator.benchmark.cells import Cell, Variant, demand_timeline, play, wait_within_minutes
from emr_simulator.benchmark.command import Plan, run_benchmark
from emr_simulator.benchmark.document import best_static, cheapest_at, loses_to
from emr_simulator.benchmark.results import Results
from emr_simulator.benchmark.runner import run_cells
from emr_simulator.benchmark.statistics import median_interval, paired_ratio, pareto_front
from emr_simulator.benchmark.sweep import chosen, families
from emr_simulator.experiment import MetricsMode, Setup, run_experiment
from emr_simulator.policies.drain_time import DrainTime
from emr_simulator.policies.registry import UnknownPolicyError, policy_of
from emr_simulator.workloads.model import Workload
from emr_simulator.workloads.synthetic import synthetic_day

SETUP = Setup(maximum_task_count=12)
HOUR = synthetic_day(seed=2, start_hour=13.0, hours=1.0)
MIB = 1 << 20


@pytest.fixture
def trace(tmp_path) -> Path:
    """Half an hour of small jobs in the format of SWIM."""
    chance = random.Random(7)
    rows, at = [], 0
    for number in range(40):
        gap = chance.randint(10, 80)
        at += gap
        rows.append(
            f"job{number}\t{at}\t{gap}\t{chance.randint(1, 4000) * MIB}\t{chance.randint(0, 900) * MIB}\t0"
        )
    path = tmp_path / "small.tsv"
    path.write_text("\n".join(rows) + "\n")
    return path


def a_plan(trace, **changes):
    plan = Plan(
        traces=(trace,),
        variants=chosen(["emr-autoscaler", "drain-time:240,180", "static:6", "static:12"], SETUP),
        seeds=2,
        setup=SETUP,
        out=trace.parent / "out",
        processes=1,
    )
    return replace(plan, **changes)


def test_watching_a_policy_changes_nothing():
    bare = run_experiment(policy=DrainTime(), workload=HOUR, seed=1, setup=SETUP)
    watched = play(Cell(variant=Variant(policy="drain-time"), trace=Path("t"), seed=1), HOUR, SETUP)
    assert watched["figures"] == bare.to_json()


def test_the_money_of_a_run_is_all_its_cost_and_most_of_it_is_for_work_or_its_absence():
    run = play(Cell(variant=Variant(policy="static:12"), trace=Path("t"), seed=1), HOUR, SETUP)
    assert sum(run["money"].values()) == pytest.approx(run["figures"]["cost_usd"], abs=0.01)
    assert run["money"]["booting"] == run["money"]["draining"] == 0
    assert run["money"]["idle"] > run["money"]["working"]


def test_the_longest_wait_of_work_that_never_waits_is_none():
    run = play(Cell(variant=Variant(policy="static:12"), trace=Path("t"), seed=1), HOUR, Setup())
    scarce = play(Cell(variant=Variant(policy="static:0"), trace=Path("t"), seed=1), HOUR, Setup())
    assert run["wait_within_minutes"] < scarce["wait_within_minutes"]
    assert wait_within_minutes([], Workload(name="none", jobs=(), seconds=0)) == 0


def test_the_demand_over_time_is_all_the_work():
    total = sum(demand_timeline(HOUR, 6)) * 300 * 6
    assert total == pytest.approx(sum(job.work_seconds for job in HOUR.jobs), rel=0.01)


def test_faster_metrics_are_part_of_a_variants_name():
    variant = Variant.from_label("emr-autoscaler:cost@push")
    assert (variant.policy, variant.metrics) == ("emr-autoscaler:cost", MetricsMode.PUSH)
    assert (variant.label, variant.family) == ("emr-autoscaler:cost@push", "emr-autoscaler@push")


def test_a_kept_cell_is_not_run_again(trace):
    cells, told = a_plan(trace).cells, []
    results = Results(trace.parent / "kept", SETUP)
    run = {"setup": SETUP, "results": results, "processes": 1}
    first = run_cells(cells, **run, when_done=lambda cell, kept: told.append(kept))
    again = run_cells(cells, **run, when_done=lambda cell, kept: told.append(kept))
    assert first == again
    assert told == [False] * len(cells) + [True] * len(cells)


def test_a_half_written_result_is_run_again(trace):
    cell = a_plan(trace).cells[0]
    results = Results(trace.parent / "kept", SETUP)
    results.keep(cell, {"figures": {}})
    kept = next((trace.parent / "kept").iterdir())
    kept.write_text(kept.read_text()[:-3])
    assert results.get(cell) is None


@pytest.mark.parametrize("change", ["seed", "policy", "metrics", "setup", "hours", "trace"])
def test_a_result_is_kept_for_exactly_what_was_run(trace, change):
    cell = Cell(variant=Variant(policy="step-rules"), trace=trace, seed=1)
    folder = trace.parent / "kept"
    Results(folder, SETUP).keep(cell, {"figures": {}})
    other_trace = trace.with_name("other.tsv")
    other_trace.write_text(trace.read_text() + "last\t9000\t1\t1\t0\t0\n")
    setup, hours = SETUP, None
    if change == "seed":
        cell = replace(cell, seed=2)
    elif change == "policy":
        cell = replace(cell, variant=Variant(policy="twenty-percent"))
    elif change == "metrics":
        cell = replace(cell, variant=Variant(policy="step-rules", metrics=MetricsMode.PUSH))
    elif change == "setup":
        setup = Setup(core_count=3)
    elif change == "hours":
        hours = 1.0
    else:
        cell = replace(cell, trace=other_trace)
    assert Results(folder, setup, hours=hours).get(cell) is None


def test_processes_side_by_side_find_what_one_alone_finds(trace):
    plan = a_plan(trace, variants=chosen(["static:6", "drain-time:240,180"], SETUP))
    alone, together = (
        run_cells(
            plan.cells,
            setup=SETUP,
            results=Results(trace.parent / str(processes), SETUP),
            processes=processes,
            when_done=lambda cell, kept: None,
        )
        for processes in (1, 2)
    )
    assert alone == together


def test_a_family_stands_for_all_its_knobs_and_every_name_is_known():
    for name in families():
        assert chosen([name], SETUP)
    assert [v.label for v in chosen(["static"], SETUP)] == ["static:6", "static:12"]
    assert len(chosen([], SETUP)) > 20


@pytest.mark.parametrize("name", ["nothing", "emr-autoscaler@2min", "drain-time:1"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(UnknownPolicyError):
        chosen([name], SETUP)


def test_a_single_run_has_no_interval():
    interval = median_interval([3.0])
    assert (interval.low, interval.value, interval.high) == (3.0, 3.0, 3.0)


def test_an_interval_holds_the_median_and_gets_closer_with_more_runs():
    chance = random.Random(1)
    few, many = ([chance.gauss(10, 1) for _ in range(count)] for count in (10, 400))
    wide, narrow = median_interval(few), median_interval(many)
    assert wide.low <= wide.value <= wide.high
    assert narrow.high - narrow.low < wide.high - wide.low


def test_pairing_takes_out_what_both_have_in_common():
    chance = random.Random(1)
    days = [chance.uniform(50, 200) for _ in range(10)]
    ratio = paired_ratio([1.1 * day for day in days], days)
    assert ratio.value == pytest.approx(1.1)
    assert ratio.high - ratio.low < 1e-9


def test_the_front_holds_what_nothing_else_beats():
    assert set(pareto_front([(1, 9), (2, 5), (3, 5), (4, 1), (5, 2)])) == {0, 1, 3}


def an_entry(policy, cost, p95, family=None):
    figures = {"cost_usd": {"value": cost}, "bsld_p95": {"value": p95}}
    return {"policy": policy, "family": family or policy.partition(":")[0], "figures": figures}


def test_the_best_static_size_is_the_cheapest_that_meets_the_p95_though_p95_may_rise_with_size():
    sizes = [an_entry("static:1", 10, 50), an_entry("static:2", 20, 9), an_entry("static:3", 30, 12)]
    assert best_static(sizes, 12)["policy"] == "static:2"
    assert best_static(sizes, 5) is None


def test_the_cheapest_setting_of_each_family_at_a_p95():
    entries = [
        an_entry("drain-time:1,1", 10, 20),
        an_entry("drain-time:2,2", 15, 9),
        an_entry("step-rules", 5, 99),
    ]
    found = cheapest_at(entries, 10)["families"]
    assert found["drain-time"] == {"policy": "drain-time:2,2", "cost_usd": 15.0}
    assert found["step-rules"] is None


def test_losing_is_costing_and_waiting_no_less_than_another():
    entries = [an_entry("emr-autoscaler", 10, 10), an_entry("drain-time", 9, 9), an_entry("clairvoyant:1", 1, 1)]
    assert loses_to(entries) == [{"policy": "emr-autoscaler", "to": "drain-time"}]


def test_a_benchmark_leaves_one_document_and_one_page_that_fetches_nothing(trace):
    plan = a_plan(trace)
    document = run_benchmark(plan, when_done=lambda cell, kept: None)
    written = json.loads((plan.out / "benchmark.json").read_text())
    page = (plan.out / "report.html").read_text()
    assert written == json.loads(json.dumps(document))
    assert written["traces"][0]["policies"][0]["policy"] == "emr-autoscaler:1200"
    assert "http" not in page.replace("http-equiv", "")
    assert not any(word in page for word in ("<link", "@import", "src=", "url("))
    assert "drain-time" in page


def test_a_benchmark_that_is_broken_off_goes_on_where_it_was(trace):
    class BrokenOffError(Exception):
        pass

    plan, told = a_plan(trace), []

    def break_off(cell, kept):
        told.append(kept)
        if len(told) == 2:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        run_benchmark(plan, when_done=break_off)
    told.clear()
    run_benchmark(plan, when_done=lambda cell, kept: told.append(kept))
    assert (told.count(True), len(told)) == (2, len(plan.cells))


def test_static_sizes_do_not_depend_on_the_seed():
    runs = [run_experiment(policy=policy_of("static:6", HOUR), workload=HOUR, seed=seed) for seed in (1, 2)]
    first, second = (replace(run, seed=0) for run in runs)
    assert first == second
