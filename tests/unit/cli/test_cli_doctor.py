"""doctor: what it finds, how bad that is, and that it goes on after a check that AWS refuses."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.installations import OUTPUTS, FakeAccount, Rehearsal

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.errors import InvalidPolicyError, RefusedError
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.domain.snapshot import Snapshot
from emr_autoscaler_cli.account import TableState
from emr_autoscaler_cli.doctor import DEAD_LETTERS
from emr_autoscaler_cli.findings import Verdict


def examine(run, rehearsal: Rehearsal):
    result = run("doctor", "--json", on=rehearsal)
    return result, result.json["checks"]


def verdicts(checks, text: str) -> set[str]:
    return {c["verdict"] for c in checks if text in f"{c['check']} {c['detail']}"}


@pytest.fixture
def healthy() -> Rehearsal:
    """A rehearsed system whose cluster has three pools, a fallback, prices and costs."""
    rehearsal = Rehearsal()
    entry = rehearsal.ports.registry.get(rehearsal.cluster_id)
    task = next(g for g in entry.groups if g.role == "TASK")
    pools = tuple(
        replace(task, group_id=f"ig-{kind}", market=Market.SPOT, instance_type=kind)
        for kind in ("m5.xlarge", "r5.xlarge", "c5.xlarge")
    )
    rehearsal.ports.registry.put(replace(entry, groups=(*entry.groups, *pools)))
    rehearsal.system.use_cases.refresh_prices()
    return rehearsal


def test_a_healthy_installation_ends_with_zero_and_nothing_to_do(run, healthy) -> None:
    result, checks = examine(run, healthy)
    assert [c for c in checks if c["verdict"] != "ok"] == []
    assert (result.code, result.json["healthy"]) == (0, True)


def test_applications_that_keep_all_task_nodes_are_a_warning(run, healthy) -> None:
    entry = healthy.ports.registry.get(healthy.cluster_id)
    with_trino = replace(entry.cluster, applications=("hadoop", "trino"))
    healthy.ports.registry.put(replace(entry, cluster=with_trino))
    result, checks = examine(run, healthy)
    assert result.code == 0
    assert verdicts(checks, "has trino, whose work YARN does not see") == {"warning"}


def test_people_see_a_line_for_each_check_and_the_counts(run, healthy) -> None:
    result = run("doctor", on=healthy)
    assert result.code == 0
    assert "0 warning, 0 failed" in result.out


def test_everything_but_ok_says_what_to_do(run, healthy) -> None:
    healthy.account = FakeAccount(subscribers=0, ringing=("emr-autoscaler.errors.sweep-fleet",))
    _, checks = examine(run, healthy)
    assert all(c["advice"] for c in checks if c["verdict"] != "ok")
    assert {c["verdict"] for c in checks} == set(Verdict)


@pytest.mark.parametrize("output", sorted(DEAD_LETTERS.values()))
def test_a_dead_letter_fails(run, healthy, output) -> None:
    healthy.account.messages[OUTPUTS[output]] = 2
    result, checks = examine(run, healthy)
    assert result.code == 1
    assert verdicts(checks, "2 lie there") == {"failed"}


@pytest.mark.parametrize("state", ["DISABLED", None])
def test_a_schedule_that_does_not_fire_fails(run, healthy, state) -> None:
    healthy.account.rule_states["emr-autoscaler-sweep"] = state
    result, checks = examine(run, healthy)
    assert result.code == 1
    assert verdicts(checks, "rule emr-autoscaler-sweep") == {"failed"}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("UPDATE_COMPLETE", "ok"), ("UPDATE_IN_PROGRESS", "warning"), ("UPDATE_ROLLBACK_COMPLETE", "failed")],
)
def test_the_stack_is_judged_by_its_status(run, healthy, status, verdict) -> None:
    healthy.account.stack = replace(healthy.account.stack, status=status)
    _, checks = examine(run, healthy)
    assert verdicts(checks, f"stack {status}") == {verdict}


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (TableState(status="ACTIVE", is_protected=False, is_recoverable=True), "warning"),
        (TableState(status="ACTIVE", is_protected=True, is_recoverable=False), "warning"),
        (TableState(status="DELETING", is_protected=True, is_recoverable=True), "failed"),
    ],
    ids=["unprotected", "unrecoverable", "deleting"],
)
def test_the_cost_table_is_judged_by_how_safe_it_is(run, healthy, state, verdict) -> None:
    healthy.account.table_state = state
    _, checks = examine(run, healthy)
    assert verdicts(checks, "cost table") == {verdict}


def test_a_check_that_aws_refuses_has_failed_and_the_others_go_on(run, healthy, monkeypatch) -> None:
    def refused(queue_url: str) -> int:
        raise RefusedError("GetQueueAttributes: AccessDenied")

    monkeypatch.setattr(healthy.account, "messages_in", refused)
    result, checks = examine(run, healthy)
    assert result.code == 1
    assert verdicts(checks, "AccessDenied") == {"failed"}
    assert verdicts(checks, "stack CREATE_COMPLETE") == {"ok"}


def test_a_policy_that_cannot_be_read_fails_with_its_field(run, healthy) -> None:
    healthy.account.book["nightly"] = InvalidPolicyError("policy 'nightly': task.max_nodes: too large")
    _, checks = examine(run, healthy)
    assert verdicts(checks, "task.max_nodes") == {"failed"}


def test_a_cluster_with_a_policy_that_does_not_exist_fails(run, healthy) -> None:
    healthy.account.book = {"other": Policy(name="other", mode=Mode.LIVE)}
    _, checks = examine(run, healthy)
    assert verdicts(checks, "'default' does not exist") == {"failed"}


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"has_managed_scaling": True}, "managed scaling"),
        ({"uses_fleets": True}, "instance fleets"),
        ({"tags": {"emr-autoscaler:policy": "default", "emr-autoscaler:paused": "true"}}, "is paused"),
    ],
    ids=["managed", "fleets", "paused"],
)
def test_a_cluster_that_is_not_scaled_is_warned_of(run, healthy, change, seen) -> None:
    entry = healthy.ports.registry.get(healthy.cluster_id)
    healthy.ports.registry.put(replace(entry, cluster=replace(entry.cluster, **change)))
    _, checks = examine(run, healthy)
    assert verdicts(checks, seen) == {"warning"}


def test_fewer_than_three_pools_are_warned_of(run, healthy) -> None:
    entry = healthy.ports.registry.get(healthy.cluster_id)
    healthy.ports.registry.put(replace(entry, groups=entry.groups[:-1]))
    _, checks = examine(run, healthy)
    assert verdicts(checks, "has 2 spot pools") == {"warning"}


def test_application_masters_on_spot_are_warned_of_from_release_6(run, healthy) -> None:
    healthy.account.labels = False
    _, checks = examine(run, healthy)
    assert verdicts(checks, "application masters") == {"warning"}
    entry = healthy.ports.registry.get(healthy.cluster_id)
    healthy.ports.registry.put(replace(entry, cluster=replace(entry.cluster, release_label="emr-5.36.0")))
    _, checks = examine(run, healthy)
    assert verdicts(checks, "application masters") == set()


def test_a_missing_price_is_warned_of(run) -> None:
    rehearsal = Rehearsal()
    entry = rehearsal.ports.registry.get(rehearsal.cluster_id)
    unseen = replace(entry.groups[-1], group_id="ig-NEW", instance_type="r5.4xlarge")
    rehearsal.ports.registry.put(replace(entry, groups=(*entry.groups, unseen)))
    _, checks = examine(run, rehearsal)
    assert verdicts(checks, "EMR_FEE r5.4xlarge") == {"warning"}


def test_a_system_that_sleeps_is_seen_by_what_is_overdue(run, healthy) -> None:
    now = healthy.world.now
    entry = healthy.ports.registry.get(healthy.cluster_id)
    late = replace(entry.task, next_evaluation_at=now - timedelta(hours=1))
    late_costs = now - timedelta(hours=4)
    healthy.ports.registry.put(replace(entry, task=late, costs_recorded_until=late_costs))
    _, checks = examine(run, healthy)
    assert verdicts(checks, "has been due since") == {"failed"}
    assert verdicts(checks, "costs are recorded until") == {"failed"}


def test_an_alarm_that_somebody_deleted_fails(run, healthy) -> None:
    entry = healthy.ports.registry.get(healthy.cluster_id)
    healthy.ports.alarms.delete_alarms(entry.alarms[:1])
    _, checks = examine(run, healthy)
    assert verdicts(checks, f"its alarm {entry.alarms[0]} is gone") == {"failed"}


def test_an_installation_without_clusters_is_healthy_and_says_how_to_begin(run) -> None:
    result, checks = examine(run, Rehearsal(tags={}))
    assert result.code == 0
    assert verdicts(checks, "none is enrolled") == {"warning"}


@pytest.mark.parametrize(("minutes", "found"), [(1, set()), (10, {"warning"})])
def test_a_probe_that_has_fallen_silent_is_warned_of(run, healthy, minutes, found) -> None:
    entry = healthy.ports.registry.get(healthy.cluster_id)
    told_at = healthy.ports.clock.now() - timedelta(minutes=minutes)
    told = Snapshot(
        at=told_at,
        active_nodes=2,
        total_mib=24_576,
        allocated_mib=0,
        available_mib=24_576,
        pending_mib=0,
        containers_allocated=0,
        containers_pending=0,
        apps_running=0,
        apps_pending=0,
    )
    healthy.ports.registry.put_task_memory(entry, replace(entry.task, pushed=(told,)))
    _, checks = examine(run, healthy)
    assert verdicts(checks, "its probe has been silent since") == found
