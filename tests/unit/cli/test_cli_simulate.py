"""simulate: the figures, and input that cannot be used."""

import json
import os
import time
from pathlib import Path

import pytest
from tests.support.template import PROJECT

FIGURES = {
    "policy",
    "trace",
    "seed",
    "jobs",
    "cost_usd",
    "floor_cost_usd",
    "node_hours",
    "spot_share",
    "bsld",
    "work_weighted_delay_seconds",
    "killed_container_seconds",
    "deadline_misses",
    "resize_requests",
    "nodes_started",
    "emr_calls",
    "elasticity",
    "queues",
}
GIB = 1 << 30


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Two hours with a job every two minutes, now and then a large one."""
    path = tmp_path / "small.tsv"
    rows = [
        f"job{n}\t{n * 120}\t120\t{(40 if n % 20 == 10 else 1) * GIB}\t{GIB if n % 3 == 0 else 0}\t0"
        for n in range(60)
    ]
    path.write_text("\n".join(rows) + "\n")
    return path


def simulate(run, trace: Path, policy: str, *more: str):
    return run("simulate", "--trace", str(trace), "--policy", policy, "--seed", "1", *more)


@pytest.mark.parametrize("policy", ["emr-autoscaler", "emr-autoscaler:cost", "static:4"])
def test_json_holds_the_figures_and_nothing_else_is_printed(run, trace, policy) -> None:
    result = simulate(run, trace, policy, "--json")
    assert (result.code, result.err) == (0, "")
    assert set(result.json) == FIGURES
    assert set(result.json["bsld"]) == {"mean", "p50", "p95", "p99"}
    assert (result.json["policy"], result.json["jobs"]) == (policy, 60)


def test_the_same_seed_gives_the_same_figures(run, trace) -> None:
    first, second = (simulate(run, trace, "emr-autoscaler", "--json").out for _ in range(2))
    assert first == second


def test_the_system_scales_within_the_maximum_and_back(run, trace) -> None:
    figures = simulate(run, trace, "emr-autoscaler", "--max", "3", "--json").json
    assert 0 < figures["node_hours"] < 3 * 2.5
    assert figures["emr_calls"]["ModifyInstanceGroups"] == figures["resize_requests"] > 1


def test_no_task_nodes_cost_nothing(run, trace) -> None:
    figures = simulate(run, trace, "static:0", "--json").json
    assert (figures["cost_usd"], figures["node_hours"]) == (0.0, 0.0)


@pytest.mark.parametrize("metrics", ["1min", "push"])
def test_faster_metrics_can_be_tried(run, trace, metrics) -> None:
    assert simulate(run, trace, "emr-autoscaler", "--metrics", metrics, "--json").code == 0


def test_a_part_of_the_trace_can_be_run(run, trace) -> None:
    figures = simulate(run, trace, "static:2", "--start-hour", "1", "--hours", "0.5", "--json").json
    assert figures["jobs"] == 15


def test_people_get_a_summary_and_progress_on_stderr(run, trace) -> None:
    result = simulate(run, trace, "static:2")
    assert "simulating 60 jobs" in result.err
    assert "bounded slowdown" in result.out


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("job1\t10\t10\tmany\t0\t0", "map input bytes"),
        ("job1\t-1\t10\t1\t0\t0", "submit time"),
        ("job1\t10\t10\t1\t0", "reduce output bytes"),
    ],
)
def test_a_bad_line_is_named_with_file_line_and_field(run, trace, line, field) -> None:
    with trace.open("a") as end:
        end.write(line + "\n")
    result = simulate(run, trace, "static:2", "--json")
    assert (result.code, result.out) == (2, "")
    assert f"{trace}:61: {field}" in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--instance-type", "z9.mega"), "--instance-type"),
        (("--container-mib", "20000"), "--container-mib"),
        (("--max", "1"), "--policy"),
        (("--hours", "0"), "--hours"),
        (("--start-hour", "30"), "no job"),
        (("--core", "0"), "--core"),
        (("--metrics", "2min"), "--metrics"),
        (("--throughput", "0"), "--throughput"),
        (("--lost-metrics", "1.5"), "--lost-metrics"),
        (("--late-metrics", "-1"), "--late-metrics"),
        (("--queues", "absent.json"), "--queues"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_an_argument_that_cannot_be_used_is_named(run, trace, more, named) -> None:
    result = simulate(run, trace, "static:2", *more)
    assert result.code == 2
    assert named in result.err


def test_throughput_changes_how_long_the_work_takes(run, trace) -> None:
    slow, fast = (simulate(run, trace, "static:4", "--throughput", f, "--json").json for f in ("0.5", "2"))
    assert slow["bsld"]["mean"] > fast["bsld"]["mean"]


def test_lost_and_late_metrics_change_what_the_system_does(run, trace) -> None:
    options = [(), ("--lost-metrics", "0.5"), ("--late-metrics", "600")]
    found = [simulate(run, trace, "emr-autoscaler", *more, "--json").out for more in options]
    assert len(set(found)) == 3


def test_a_draining_node_may_wait_for_applications(run, trace) -> None:
    plain, waiting = (
        simulate(run, trace, "managed-scaling", *more, "--json").json["cost_usd"]
        for more in ((), ("--drain-waits",))
    )
    assert waiting > plain


@pytest.fixture
def queues(tmp_path: Path) -> Path:
    """Small jobs and large ones."""
    path = tmp_path / "queues.json"
    batch = {"name": "batch", "guaranteed": 0.6, "least_tasks": 100}
    path.write_text(json.dumps([{"name": "adhoc", "guaranteed": 0.4, "maximum": 0.8}, batch]))
    return path


def test_queues_are_read_from_a_file_and_have_figures_of_their_own(run, trace, queues) -> None:
    plain = simulate(run, trace, "static:1", "--json").json
    shared = simulate(run, trace, "static:1", "--queues", str(queues), "--json").json
    assert plain["queues"] == {}
    assert set(shared["queues"]) == {"adhoc", "batch"}
    assert shared["queues"]["adhoc"]["p95"] < plain["bsld"]["p95"]
    assert "queue batch" in simulate(run, trace, "static:1", "--queues", str(queues)).out


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("no json", "not JSON"),
        ("{}", "a list of queues"),
        ("[1]", "queue 1: an object"),
        ('[{"guaranteed": 1}]', "queue 1: name"),
        ('[{"name": "a", "guaranteed": "half"}]', "queue 1: guaranteed"),
        ('[{"name": "a", "size": 1}]', "size"),
        ('[{"name": "a", "guaranteed": 0.5}]', "add up to 1"),
    ],
)
def test_queues_that_cannot_be_used_are_refused_by_file_and_field(run, trace, queues, text, named) -> None:
    queues.write_text(text)
    result = simulate(run, trace, "static:1", "--queues", str(queues))
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "--queues" in result.err
    assert named in result.err


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A spot pool that is gone for some minutes every hour."""
    path = tmp_path / "pool.json"
    data = ([1] * 50 + [0] * 10) * 5
    path.write_text(json.dumps({"metadata": {"gap_seconds": 60}, "data": data, "prices": [1.4] * len(data)}))
    return path


def test_a_recorded_spot_pool_is_cheaper_and_interrupts(run, trace, pool) -> None:
    spot = simulate(run, trace, "static:4", "--spot-trace", str(pool), "--json").json
    on_demand = simulate(run, trace, "static:4", "--json").json
    assert spot["spot_share"] == 1.0
    assert spot["cost_usd"] < 0.6 * on_demand["cost_usd"]
    assert spot["nodes_started"] > on_demand["nodes_started"] == 0


def test_a_spot_recording_that_cannot_be_read_is_wrong_usage(run, trace, pool) -> None:
    pool.write_text('{"metadata": {"gap_seconds": 60}, "data": [1], "prices": []}')
    broken = simulate(run, trace, "static:4", "--spot-trace", str(pool))
    missing = simulate(run, trace, "static:4", "--spot-trace", str(pool.with_name("none.json")))
    assert (broken.code, missing.code) == (2, 2)
    assert "prices" in broken.err
    assert "--spot-trace" in missing.err


@pytest.mark.parametrize(
    "policy", ["drain", "static", "static:x", "emr-autoscaler:", "emr-autoscaler:fast", "x:cost"]
)
def test_an_unknown_policy_is_wrong_usage_and_the_known_ones_are_named(run, trace, policy) -> None:
    result = simulate(run, trace, policy)
    assert result.code == 2
    assert "static:N" in result.err


def test_a_trace_that_is_not_there_is_wrong_usage(run, tmp_path) -> None:
    result = simulate(run, tmp_path / "absent.tsv", "static:2")
    assert result.code == 2
    assert "--trace" in result.err


@pytest.fixture
def facebook_day() -> Path:
    """The trace of the reference values."""
    data = Path(os.environ.get("EMR_AUTOSCALER_DATA") or PROJECT / "../shared/data")
    path = data / "traces/swim_fb-2009_0.tsv"
    if not path.exists():
        pytest.skip(f"{path.name} is not there; EMR_AUTOSCALER_DATA names the directory that holds traces/")
    return path


@pytest.mark.data
@pytest.mark.parametrize(
    ("policy", "reference"),
    [
        ("static:36", {"cost_usd": 207.5, "p95": 56.2, "p99": 69.9, "delay": 1064}),
        ("static:85", {"cost_usd": 489.9, "p95": 13.4, "p99": 26.7, "delay": 406}),
    ],
    ids=["static:36", "static:85"],
)
def test_static_sizes_come_within_ten_percent_of_the_reference(run, facebook_day, policy, reference) -> None:
    figures = simulate(run, facebook_day, policy, "--json").json
    slowdown, delay = figures["bsld"], figures["work_weighted_delay_seconds"]
    measured = {"cost_usd": figures["cost_usd"], "p95": slowdown["p95"], "p99": slowdown["p99"], "delay": delay}
    assert measured == pytest.approx(reference, rel=0.1)
    assert slowdown["p50"] == pytest.approx(1.0, rel=0.1)


@pytest.mark.data
def test_a_day_of_the_system_takes_less_than_a_minute(run, facebook_day) -> None:
    begin = time.monotonic()
    figures = simulate(run, facebook_day, "emr-autoscaler", "--json").json
    assert time.monotonic() - begin < 60
    assert figures["jobs"] == 5894
    assert figures["killed_container_seconds"] == 0


def test_spot_pools_are_for_the_policy_that_knows_of_markets(run):
    arguments = ["simulate", "--long-tasks", "1", "--hours", "3", "--seed", "1", "--market", "spot"]
    refused = run(*arguments, "--policy", "static:2")
    assert (refused.code, "only emr-autoscaler knows of markets" in refused.err) == (2, True)
    played = run(*arguments, "--policy", "emr-autoscaler", "--json")
    assert (played.code, played.json["spot_share"] > 0) == (0, True)
