"""The Markdown tables of a benchmark, and of benchmarks that vary something."""

import json

import pytest

from emr_simulator.benchmark.command import Plan, run_benchmark
from emr_simulator.benchmark.reference import JOBS, REFERENCE_VALUES
from emr_simulator.benchmark.sweep import chosen
from emr_simulator.benchmark.tables import tables_of
from emr_simulator.experiment import Setup


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "small.tsv"
    rows = [f"job{n}\t{90 * n}\t90\t{(3000 + 97 * n) << 20}\t{(100 * (n % 3)) << 20}\t0" for n in range(30)]
    path.write_text("\n".join(rows) + "\n")
    return path


def documents(trace, **setup):
    plan = Plan(
        traces=(trace,),
        variants=chosen(["emr-autoscaler", "drain-time:240,180", "static:36"], Setup(maximum_task_count=40)),
        seeds=2,
        setup=Setup(maximum_task_count=40, **setup),
        out=trace.parent / json.dumps(setup),
        processes=1,
    )
    return run_benchmark(plan, when_done=lambda cell, kept: None)


@pytest.fixture(scope="module")
def plain(trace):
    return documents(trace)


def rows_of(text, first):
    return [line for line in text.splitlines() if line.startswith(f"| {first}")]


def as_the_facebook_day(document):
    """The same results, as if they were of the day that the reference values are of."""
    return {**document, "traces": [{**trace, "jobs": JOBS} for trace in document["traces"]]}


def test_one_benchmark_gives_the_tables_of_its_document(plain):
    text = tables_of([as_the_facebook_day(plain)])
    for heading in (
        "Against the reference values",
        "Results",
        "Cost at equal p95",
        "Where this system loses",
        "Elasticity",
    ):
        assert f"### {heading}" in text
    assert "medians of 2 seeds, reference set-up" in text
    assert len(rows_of(text, "`emr-autoscaler`")) == 2
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| `drain-time:240,180`")}
    assert widths == {9, 10, 7, 5}


def test_what_is_far_from_the_reference_is_marked(plain):
    text = tables_of([as_the_facebook_day(plain)])
    (row,) = [line for line in rows_of(text, "`static:36`") if "(207.5)" in line]
    assert "(207.5) †" in row
    assert "0 (0)" in row


def test_several_benchmarks_give_one_table_of_what_each_varies(plain, trace):
    slow = documents(trace, throughput_factor=0.5, lost_metric_fraction=0.2)
    text = tables_of([plain, slow])
    assert len(rows_of(text, "nothing | `emr-autoscaler`")) == 1
    assert len(rows_of(text, "throughput x 0.5, 20% of metrics lost | `emr-autoscaler`")) == 1
    assert "###" not in text


def test_other_work_is_not_compared_with_the_reference(plain):
    assert "Against the reference" not in tables_of([plain])


def test_varied_benchmarks_are_not_compared_with_the_reference(trace):
    varied = documents(trace, throughput_factor=2.0)
    assert "Against the reference" not in tables_of([as_the_facebook_day(varied)])


def test_reference_values_are_found_by_the_names_of_figures():
    row = REFERENCE_VALUES["drain-time:60,420"]
    assert (row["cost_usd"], row["delay_seconds"], row["nodes_started"]) == (219.7, 437.0, None)


def test_a_throughput_factor_changes_what_is_kept(trace, plain):
    slow = documents(trace, throughput_factor=0.5)
    first = slow["traces"][0]
    assert first["optimum"]["work_floor_node_hours"] > plain["traces"][0]["optimum"]["work_floor_node_hours"]
    assert slow["setup"]["varied"] == ["throughput x 0.5"]
