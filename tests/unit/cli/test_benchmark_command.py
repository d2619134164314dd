"""emr-autoscaler benchmark: its table, its document, its files, and wrong usage."""

import json

import pytest


@pytest.fixture
def trace(tmp_path):
    rows = [f"job{n}\t{60 * n}\t60\t{(2000 + 97 * n) << 20}\t{(100 * (n % 3)) << 20}\t0" for n in range(20)]
    path = tmp_path / "small.tsv"
    path.write_text("\n".join(rows) + "\n")
    return path


def benchmark(run, trace, *more):
    out = trace.parent / "out"
    return run("benchmark", "--trace", str(trace), "--seeds", "1", "--out", str(out), "--jobs", "1", *more)


def test_a_table_is_shown_and_the_report_is_named(run, trace):
    result = benchmark(run, trace, "--policies", "emr-autoscaler", "drain-time:240,180", "static:3")
    assert result.code == 0
    assert "drain-time:240,180" in result.out
    assert "x optimum" in result.out
    assert str(trace.parent / "out" / "report.html") in result.out.replace("\n", "")


def test_json_prints_the_document_that_is_written_and_nothing_else(run, trace):
    result = benchmark(run, trace, "--policies", "static:3", "--json")
    assert result.json == json.loads((trace.parent / "out" / "benchmark.json").read_text())
    assert result.json["traces"][0]["policies"][0]["policy"] == "static:3"


@pytest.mark.parametrize("wrong", ["nothing", "drain-time:0,0", "emr-autoscaler@2min"])
def test_an_unknown_policy_is_wrong_usage(run, trace, wrong):
    result = benchmark(run, trace, "--policies", wrong)
    assert result.code == 2
    assert "--policies" in result.err
    assert result.err.count("\n") == 1


def test_a_trace_that_is_not_there_is_wrong_usage(run, trace):
    result = benchmark(run, trace.with_name("missing.tsv"))
    assert result.code == 2
    assert "missing.tsv" in result.err


def test_a_bad_line_of_a_trace_is_named(run, trace):
    trace.write_text("job0\t0\t0\tmany\t0\t0\n")
    result = benchmark(run, trace, "--policies", "static:3")
    assert result.code == 2
    assert all(word in result.err for word in ("--trace", "1", "map input bytes"))


def test_a_folder_that_cannot_be_written_is_a_failure_of_one_line(run, trace):
    (trace.parent / "out").write_text("a file")
    result = benchmark(run, trace, "--policies", "static:3")
    assert result.code == 1
    assert result.err.strip().count("\n") == 0


def test_tables_are_printed_from_the_results_of_a_folder(run, trace):
    benchmark(run, trace, "--policies", "static:3")
    result = run("benchmark", "--tables", str(trace.parent / "out"))
    assert (result.code, result.err) == (0, "")
    assert "### Elasticity" in result.out


def test_a_folder_without_results_is_wrong_usage(run, trace):
    result = run("benchmark", "--tables", str(trace.parent))
    assert result.code == 2
    assert "benchmark.json" in result.err


@pytest.mark.parametrize("left_out", ["--seeds", "--out"])
def test_seeds_and_folder_are_needed_to_run(run, trace, left_out):
    given = {"--seeds": "1", "--out": str(trace.parent / "out")}
    more = [word for option, value in given.items() if option != left_out for word in (option, value)]
    result = run("benchmark", "--trace", str(trace), *more)
    assert result.code == 2
    assert left_out in result.err


def test_what_is_varied_is_told_on_the_page(run, trace):
    benchmark(run, trace, "--policies", "static:3", "--throughput", "0.5", "--lost-metrics", "0.1")
    page = (trace.parent / "out" / "report.html").read_text()
    assert "throughput x 0.5; 10% of metrics lost" in page
    assert "Elasticity" in page


def on_spot(run, tmp_path, *more):
    return run(
        "benchmark", "--long-tasks", "1", "--seeds", "1", "--out", str(tmp_path / "out"), "--jobs", "1", *more
    )


def test_on_spot_a_second_table_compares_with_on_demand(run, tmp_path):
    result = on_spot(
        run,
        tmp_path,
        "--hours",
        "0.5",
        "--market",
        "spot",
        "--policies",
        "emr-autoscaler:cost",
        "--outage-hours",
        "9",
    )
    assert result.code == 0
    assert "on spot over on demand, 1 pairs" in result.out.replace("\n", "")
    assert "outages every 9 h" in result.out
    assert "long-tasks-1" in result.out


def test_on_spot_the_objectives_are_compared_where_no_policy_is_named(run, tmp_path):
    result = on_spot(run, tmp_path, "--hours", "0.5", "--market", "spot", "--outage-hours", "9", "--json")
    compared = [row["policy"] for row in json.loads(result.out)["spot"]["rows"]]
    assert compared == ["emr-autoscaler:cost", "emr-autoscaler:balanced", "emr-autoscaler:speed"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--pools", "m5.xlarge"], "--pools needs --market spot"),
        (["--outage-hours", "3"], "--outage-hours needs --market spot"),
        (["--market", "spot", "--pools", "m9.huge"], "--pools: 'm9.huge'"),
        (["--market", "spot", "--policies", "drain-time"], "--market: of policies only emr-autoscaler"),
        (["--market", "spot", "--spot-trace", "missing.json"], "--spot-trace: missing.json"),
    ],
)
def test_what_cannot_be_bought_is_wrong_usage(run, tmp_path, options, named):
    result = on_spot(run, tmp_path, *options)
    assert result.code == 2
    assert named in result.err
    assert result.err.count("\n") == 1
