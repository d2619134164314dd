"""backtest: the document, the report, what is fetched, and input that cannot be used."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.installations import Rehearsal
from tests.support.recordings import recording
from tests.support.template import PROJECT

from emr_autoscaler.domain.errors import RefusedError
from emr_autoscaler_cli.backtest import Observed
from emr_autoscaler_cli.backtest import run as run_backtest
from emr_autoscaler_cli.failures import FailedError
from emr_autoscaler_cli.main import build_parser
from emr_simulator.backtest.reading import read_recording

SAMPLE = PROJECT / "docs/samples/synthetic-day.json"
POLICY = PROJECT / "docs/policies/default.json"
ROWS = [(4, 12, 0)] * 3 + [(4, 36, 400), (4, 36, 300), (4, 36, 100)] + [(4, 12, 0)] * 6


@pytest.fixture
def recorded(tmp_path) -> Path:
    path = tmp_path / "recorded.json"
    path.write_text(recording(ROWS).to_text())
    return path


def backtest(run, metrics: Path, *more: str, policy: str | Path = POLICY, on=None):
    return run("backtest", "--metrics", str(metrics), "--policy", str(policy), *more, on=on)


def test_json_is_one_document_with_both_sides_and_every_decision(run) -> None:
    result = backtest(run, SAMPLE, "--json")
    assert (result.code, result.err) == (0, "")
    document = result.json
    assert document["cluster_id"] == "j-SYNTHETICDAY"
    assert len(document["decisions"]) == document["replayed"]["decisions"] == sum(document["reasons"].values())
    assert float(document["replayed"]["cost_usd"]) < float(document["recorded"]["cost_usd"])


def test_a_cluster_with_fleets_is_counted_in_units(run) -> None:
    result = backtest(run, PROJECT / "docs/samples/fleet-day.json")
    assert result.code == 0
    for text in ("task units, USD", "task unit-hours", "most task units", "in fleet if-task"):
        assert text in result.out


def test_the_same_recording_gives_the_same_bytes(run, recorded) -> None:
    assert backtest(run, recorded, "--json").out == backtest(run, recorded, "--json").out


def test_people_get_both_sides_and_the_orders_with_their_reasons(run, recorded) -> None:
    result = backtest(run, recorded)
    assert result.code == 0
    for text in ("task nodes, USD", "this policy", "DEMAND_BELOW_CAPACITY", "built-in list"):
        assert text in result.out


def test_out_holds_the_document_and_the_page(run, recorded, tmp_path) -> None:
    result = backtest(run, recorded, "--out", str(tmp_path / "out"), "--json")
    assert json.loads((tmp_path / "out/backtest.json").read_text()) == result.json
    assert (tmp_path / "out/report.html").read_text().startswith("<!doctype html>")


def test_what_metrics_do_not_say_can_be_said(run, recorded) -> None:
    document = backtest(
        run, recorded, "--json", "--task-seconds", "90", "--provisioning-minutes", "2.5",
        "--price-per-node-hour", "9", "m5.xlarge=0.5",
    ).json  # fmt: skip
    assert document["model"]["task_seconds"] == 90
    assert document["model"]["provisioning_seconds"] == 150
    assert [price["usd_per_node_hour"] for price in document["prices"]] == ["0.5"]


def test_a_deployed_policy_is_found_by_its_name(run, recorded) -> None:
    result = backtest(run, recorded, "--json", policy="default", on=Rehearsal())
    assert (result.code, result.json["policy"]["name"]) == (0, "default")


def test_a_name_that_no_deployed_policy_has_is_wrong_usage(run, recorded) -> None:
    result = backtest(run, recorded, policy="nightly", on=Rehearsal())
    assert result.code == 2
    assert "--policy" in result.err
    assert "nightly" in result.err


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--instance-type", "m5.xlarge"), "groups"),
        (("--days", "3"), "--days"),
        (("--save", "x.json"), "--save"),
        (("--task-seconds", "0"), "--task-seconds"),
        (("--provisioning-minutes", "0"), "--provisioning-minutes"),
        (("--provisioning-minutes", "soon"), "--provisioning-minutes"),
        (("--price-per-node-hour", "cheap"), "--price-per-node-hour"),
        (("--price-per-node-hour", "m5.xlarge=-1"), "--price-per-node-hour"),
        (("--cluster", "j-X"), "--cluster"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_argument_that_cannot_be_used_is_named(run, recorded, more, named) -> None:
    result = backtest(run, recorded, *more)
    assert (result.code, result.out) == (2, "")
    assert named in result.err
    assert len(result.err.splitlines()) == 1


def test_a_row_that_cannot_be_used_is_named_with_file_row_and_field(run, recorded) -> None:
    recorded.write_text(recorded.read_text().replace("73728, 24576, 12", "73728, -5, 12", 1))
    result = backtest(run, recorded, "--json")
    assert (result.code, result.out) == (2, "")
    assert f"--metrics: {recorded}: rows[0]: MemoryAllocatedMB: a number of at least 0" in result.err


@pytest.mark.parametrize("name", ["absent.json", "absent.csv"])
def test_a_recording_that_is_not_there_is_wrong_usage(run, tmp_path, name) -> None:
    result = backtest(run, tmp_path / name)
    assert result.code == 2
    assert "--metrics" in result.err


def test_a_recording_that_says_nothing_is_wrong_usage(run, tmp_path) -> None:
    path = tmp_path / "absurd.json"
    path.write_text(recording([(0, 60, 0)] * 3).to_text())
    result = backtest(run, path)
    assert result.code == 2
    assert "METRICS_ABSURD" in result.err


def test_an_invalid_policy_names_its_field(run, recorded, tmp_path) -> None:
    policy = tmp_path / "p.json"
    policy.write_text('{"task": {"max_node": 5}}')
    result = backtest(run, recorded, policy=policy)
    assert result.code == 2
    assert "task.max_node: there is no such field" in result.err


def test_a_policy_file_that_is_not_there_is_wrong_usage(run, recorded, tmp_path) -> None:
    result = backtest(run, recorded, policy=tmp_path / "absent.json")
    assert result.code == 2
    assert "--policy" in result.err


def test_a_type_without_a_price_asks_for_one(run, tmp_path) -> None:
    path = tmp_path / "recorded.json"
    path.write_text(recording(ROWS, instance_type="z9.mega").to_text())
    result = backtest(run, path)
    assert result.code == 2
    assert "--price-per-node-hour z9.mega=USD" in result.err


def test_results_that_cannot_be_written_are_a_failure(run, recorded) -> None:
    result = backtest(run, recorded, "--out", str(recorded))
    assert result.code == 1
    assert "recorded.json" in result.err


@pytest.fixture(scope="module")
def watched() -> Rehearsal:
    rehearsal = Rehearsal()
    rehearsal.run(timedelta(hours=3))
    return rehearsal


def fetch(rehearsal: Rehearsal, *more: str, observed: Observed | None = None) -> int:
    words = ["backtest", "--cluster", rehearsal.cluster_id, "--policy", str(POLICY), "--json", *more]
    ports = rehearsal.ports
    return run_backtest(
        build_parser().parse_args(words),
        rehearsal.connect,
        observe=lambda _arguments: observed or Observed(reader=ports.reader, metrics=ports.metrics),
        now=rehearsal.world.now,
    )


def test_a_cluster_is_fetched_with_its_metrics_and_the_types_of_its_groups(watched, capsys) -> None:
    assert fetch(watched) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cluster_id"] == watched.cluster_id
    assert document["samples"] > 30
    assert "m5.xlarge" in {price["instance_type"] for price in document["prices"]}


def test_what_was_fetched_can_be_kept_and_gives_the_same_again(watched, run, capsys, tmp_path) -> None:
    kept = tmp_path / "kept.json"
    fetch(watched, "--save", str(kept))
    fetched = json.loads(capsys.readouterr().out)
    again = backtest(run, kept, "--json").json
    assert read_recording(kept).cluster_id == watched.cluster_id
    assert {**fetched, "source": ""} == {**again, "source": ""}


def test_a_cluster_without_metrics_cannot_be_replayed(watched) -> None:
    observed = Observed(reader=watched.ports.reader, metrics=watched.ports.metrics)
    with pytest.raises(FailedError, match="samples were published"):
        run_backtest(
            build_parser().parse_args(["backtest", "--cluster", watched.cluster_id, "--policy", str(POLICY)]),
            watched.connect,
            observe=lambda _arguments: observed,
            now=watched.world.now + timedelta(days=60),
        )


class RefusingReader:
    """EMR that may not be asked."""

    def describe_cluster(self, cluster_id: str):
        msg = f"DescribeCluster {cluster_id}: AccessDeniedException"
        raise RefusedError(msg)


def test_what_aws_refuses_is_raised_for_exit_code_1(watched) -> None:
    observed = Observed(reader=RefusingReader(), metrics=watched.ports.metrics)
    with pytest.raises(RefusedError, match="AccessDenied"):
        fetch(watched, observed=observed)


def test_aws_without_credentials_or_region_is_told_in_one_line(run, monkeypatch, tmp_path) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    arguments = ("backtest", "--cluster", "j-X", "--policy", str(POLICY))
    assert "--region" in run(*arguments).err
    result = run(*arguments, "--profile", "absent")
    assert (result.code, len(result.err.splitlines())) == (2, 1)
    assert "--profile" in result.err


def test_a_cluster_says_what_its_nodes_are(run) -> None:
    result = run("backtest", "--cluster", "j-X", "--policy", str(POLICY), "--instance-type", "m5.xlarge")
    assert result.code == 2
    assert "--instance-type" in result.err
