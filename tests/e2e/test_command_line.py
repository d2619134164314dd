"""The command line on the deployed stack, found by its prefix and read through the real adapters."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.client import BaseClient
from tests.support.rehearsal import Rehearsal
from tests.support.template import PROJECT

from emr_autoscaler_cli.main import main
from emr_simulator.local_aws import drain_queues
from emr_simulator.local_aws.process import clean_environment

IAM_PREFIXES = {"emr": "elasticmapreduce"}

Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def command(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command with --json against the local AWS; return its exit code and document."""
    environment = clean_environment(
        **rehearsal.server.environment,
        AWS_ENDPOINT_URL=rehearsal.stack.aws.endpoint,
        EMR_AUTOSCALER_CLOCK_URL=f"{rehearsal.server.endpoint}/clock",
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, Any]:
        code = main([*arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What the command line calls, as IAM writes it."""
    made: set[str] = set()
    call = BaseClient._make_api_call

    def noted(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        made.add(f"{IAM_PREFIXES.get(service, service)}:{operation}")
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return made


@pytest.fixture
def cluster_id(rehearsal: Rehearsal) -> str:
    """An enrolled cluster that was looked at."""
    cluster_id = rehearsal.run_cluster(task=1, spot=1)
    drain_queues(rehearsal.stack)
    return cluster_id


def test_status_and_explain_show_what_the_functions_decided(command: Command, cluster_id: str) -> None:
    code, status = command("status")
    shown = next(c for c in status["clusters"] if c["cluster_id"] == cluster_id)
    assert (code, shown["policy"], shown["mode"]) == (0, "live", "live")
    code, explained = command("explain", cluster_id, "--last", "5")
    assert code == 0
    assert explained["decisions"]
    assert {d["replay"]["agrees"] for d in explained["decisions"]} == {True}


def test_pause_and_resume_write_the_tag_through_emr(
    command: Command, rehearsal: Rehearsal, cluster_id: str
) -> None:
    assert command("pause", cluster_id) == (0, {"cluster_id": cluster_id, "paused": True})
    with rehearsal.server.lock:
        assert rehearsal.world.emr.describe_cluster(cluster_id).tags["emr-autoscaler:paused"] == "true"
    assert command("resume", cluster_id) == (0, {"cluster_id": cluster_id, "paused": False})
    with rehearsal.server.lock:
        assert "emr-autoscaler:paused" not in rehearsal.world.emr.describe_cluster(cluster_id).tags
    drain_queues(rehearsal.stack)


@pytest.mark.usefixtures("cluster_id")
def test_doctor_reaches_everything_and_sees_that_a_rehearsal_has_no_schedules(
    command: Command, rehearsal: Rehearsal, calls: set[str]
) -> None:
    _, report = command("doctor")
    found = {check["check"]: check["verdict"] for check in report["checks"]}
    assert found["stack"] == found["state table"] == found["policies"] == found["task evaluations"] == "ok"
    wrong = {check["check"]: check["detail"] for check in report["checks"] if check["check"].startswith("rule ")}
    assert set(wrong.values()) == {"DISABLED"}
    assert len(wrong) == sum(rule.schedule is not None for rule in rehearsal.driver.rules)
    assert not [c for c in report["checks"] if "credentials" in c["advice"]]
    assert found["CloudTrail"] == "warning"  # the local AWS has no trail
    assert {found[check] for check in found if check.startswith("pools of cluster")} == {"ok"}
    documented = (PROJECT / "docs/settings.md").read_text(encoding="utf-8")
    assert {action for action in calls if f"`{action}`" not in documented} == set()


def test_costs_of_an_hour_recorded_by_the_function_are_read_back(
    command: Command, rehearsal: Rehearsal, cluster_id: str
) -> None:
    rehearsal.pass_time(timedelta(hours=1))
    rehearsal.driver.deliver(rehearsal.sample("emr-cluster-terminated", cluster_id))
    code, report = command("costs", "--cluster", cluster_id, "--from", "2026-10-05", "--to", "2026-10-07")
    assert code == 0
    assert report["window"]["time_zone"] == "UTC"
    assert report["cluster_hours"] >= 1
    assert [row["cost_centre"] for row in report["rows"]] == ["research"]
    assert Decimal(report["total"]["effective_cost_usd"]) > 0
