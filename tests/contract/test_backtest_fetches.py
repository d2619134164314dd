"""backtest --cluster over the real adapters: ordinary credentials, GetMetricData, groups or fleets."""

import json
from datetime import timedelta

import pytest
from tests.support.template import PROJECT
from tests.support.worlds import calm_world, cluster, fleet, fleet_cluster, run_cluster

from emr_autoscaler_cli.backtest import run
from emr_autoscaler_cli.installation import Installation
from emr_autoscaler_cli.main import build_parser, main
from emr_simulator.wire import WireServer
from emr_simulator.words import Role

POLICY = str(PROJECT / "docs/policies/default.json")


def no_stack(_arguments) -> Installation:
    msg = "a policy in a file needs no stack"
    raise AssertionError(msg)


@pytest.fixture
def credentials(monkeypatch) -> None:
    for name, value in (
        ("ACCESS_KEY_ID", "AKIATEST"),
        ("SECRET_ACCESS_KEY", "test"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.mark.usefixtures("socket_enabled", "credentials")
def test_a_cluster_is_fetched_without_a_stack(monkeypatch, capsys) -> None:
    world = calm_world()
    cluster_id = run_cluster(world, cluster(core=2, task=3))
    world.run_for(timedelta(hours=2))
    with WireServer(world) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        words = ["backtest", "--cluster", cluster_id, "--policy", POLICY, "--json"]
        assert run(build_parser().parse_args(words), no_stack, now=world.now) == 0
        assert server.faults == ()
    document = json.loads(capsys.readouterr().out)
    assert document["recorded"]["most_nodes"] == 3
    assert document["samples"] > 24
    assert document["decisions"][-1]["nodes_after"] == 0


@pytest.mark.usefixtures("socket_enabled", "credentials")
def test_a_cluster_with_fleets_is_fetched_with_what_their_instances_count(monkeypatch, capsys, tmp_path) -> None:
    world = calm_world()
    task = fleet(Role.TASK, spot=6, types={"m5.xlarge": 1, "m5.2xlarge": 2})
    cluster_id = run_cluster(world, fleet_cluster(core=2, task=task))
    world.run_for(timedelta(hours=2))
    kept = tmp_path / "kept.json"
    with WireServer(world) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        words = ["backtest", "--cluster", cluster_id, "--policy", POLICY, "--save", str(kept), "--json"]
        assert run(build_parser().parse_args(words), no_stack, now=world.now) == 0
        assert server.faults == ()
    document = json.loads(capsys.readouterr().out)
    assert (document["counted_in"], document["recorded"]["most_nodes"]) == ("units", 6)
    saved = json.loads(kept.read_text())["fleets"]
    assert saved[1] == {
        "role": "TASK",
        "types": {"m5.xlarge": 1, "m5.2xlarge": 2},
        "on_demand_units": 0,
        "spot_units": 6,
    }


@pytest.mark.usefixtures("socket_enabled", "credentials")
def test_a_cluster_that_does_not_exist_is_exit_code_1_in_one_line(monkeypatch, capsys) -> None:
    with WireServer(calm_world()) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        assert main(["backtest", "--cluster", "j-NONE", "--policy", POLICY, "--json"], connect=no_stack) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "j-NONE" in captured.err.splitlines()[-1]


@pytest.mark.usefixtures("socket_enabled", "credentials")
def test_aws_that_cannot_be_reached_is_exit_code_1(monkeypatch, capsys) -> None:
    with WireServer(calm_world()) as server:
        endpoint = server.endpoint
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["backtest", "--cluster", "j-NONE", "--policy", POLICY], connect=no_stack) == 1
    assert "emr-autoscaler backtest:" in capsys.readouterr().err
