"""status, explain, pause and resume on a rehearsed system."""

from dataclasses import replace
from datetime import timedelta

from tests.support.installations import Rehearsal

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import InvalidPolicyError
from emr_autoscaler.domain.policy import IdlePolicy, Mode, Policy, TaskPolicy
from emr_autoscaler_cli.replay import replay


def test_status_shows_each_enrolled_cluster_with_its_last_decision(run, rehearsal) -> None:
    result = run("status", "--json", on=rehearsal)
    (shown,) = result.json["clusters"]
    assert result.code == 0
    assert shown["cluster_id"] == rehearsal.cluster_id
    assert (shown["policy"], shown["mode"], shown["state"]) == ("default", "live", "WAITING")
    assert shown["nodes"]["CORE"] == {"running": 3, "requested": 3}
    last = rehearsal.ports.decisions.of_cluster(rehearsal.cluster_id, limit=1)[0]
    assert shown["last_decision"]["reason"] == last.decision.reason


def test_status_for_people_names_cluster_and_reason(run, rehearsal) -> None:
    result = run("status", on=rehearsal)
    assert rehearsal.cluster_id in result.out
    assert "WAITING" in result.out


def test_status_shows_a_policy_that_cannot_be_used(run, rehearsal) -> None:
    rehearsal.account.book["default"] = InvalidPolicyError("task.max_nodes: is needed")
    (shown,) = run("status", "--json", on=rehearsal).json["clusters"]
    assert shown["mode"] == "invalid policy"


def test_status_without_clusters_says_how_one_is_enrolled(run) -> None:
    result = run("status", on=Rehearsal(tags={}))
    assert result.code == 0
    assert "emr-autoscaler:policy" in result.out


def test_explain_replays_every_decision_and_agrees(run, rehearsal) -> None:
    result = run("explain", rehearsal.cluster_id, "--last", "100", "--json", on=rehearsal)
    decisions = result.json["decisions"]
    assert result.code == 0
    assert len(decisions) > 1
    assert [d["replay"] for d in decisions if d["evidence"]] == [
        {"agrees": True, "differences": []} for d in decisions if d["evidence"]
    ]


def test_decisions_of_every_kind_are_replayed(run) -> None:
    idle = IdlePolicy(idle_for=timedelta(minutes=100))
    policy = Policy(name="default", mode=Mode.LIVE, task=TaskPolicy(min_nodes=3), idle=idle)
    rehearsal = Rehearsal(policy=policy, spot=2)
    instances = rehearsal.ports.compute.find_cluster_instances(rehearsal.cluster_id)
    rehearsal.world.warn_spot_interruption(next(i.ec2_instance_id for i in instances if i.market is Market.SPOT))
    rehearsal.run(timedelta(hours=2))
    result = run("explain", rehearsal.cluster_id, "--last", "1000", "--json", on=rehearsal)
    replayed = {(d["kind"], d["replay"]["agrees"]) for d in result.json["decisions"]}
    assert replayed == {("TASK", True), ("CORE", True), ("INTERRUPTION", True), ("IDLE", True)}
    assert run("explain", rehearsal.cluster_id, "--last", "1000", on=rehearsal).code == 0


def test_explain_says_where_the_rules_have_changed(rehearsal) -> None:
    record = rehearsal.ports.decisions.of_cluster(rehearsal.cluster_id)[0]
    other = replace(record, decision=replace(record.decision, detail="other arithmetic"))
    assert replay(other).differences == ("detail",)
    assert replay(other).agrees is False


def test_explain_of_a_record_without_evidence_says_that_it_cannot_be_replayed(rehearsal) -> None:
    record = rehearsal.ports.decisions.of_cluster(rehearsal.cluster_id)[0]
    assert replay(replace(record, evidence=None)).agrees is None


def test_explain_for_people_gives_reason_and_agreement(run, rehearsal) -> None:
    result = run("explain", rehearsal.cluster_id, "--kind", "TASK", on=rehearsal)
    last = next(
        r
        for r in rehearsal.ports.decisions.of_cluster(rehearsal.cluster_id)
        if r.decision.kind is DecisionKind.TASK
    )
    assert last.decision.reason in result.out
    assert "agrees" in result.out
    assert "MemoryAllocatedMB" in result.out


def test_explain_at_a_time_shows_what_was_decided_by_then(run, rehearsal) -> None:
    records = rehearsal.ports.decisions.of_cluster(rehearsal.cluster_id)
    oldest = records[-1].decision.decided_at
    result = run("explain", rehearsal.cluster_id, "--at", oldest.isoformat(), "--json", on=rehearsal)
    (shown,) = result.json["decisions"]
    assert shown["decided_at"] == oldest.isoformat().replace("+00:00", "Z")


def test_explain_of_an_unknown_cluster_ends_with_one(run, rehearsal) -> None:
    result = run("explain", "j-UNKNOWN", on=rehearsal)
    assert (result.code, result.out) == (1, "")
    assert "j-UNKNOWN" in result.err


def test_pause_sets_the_tag_and_holds_at_once(run, rehearsal) -> None:
    result = run("pause", rehearsal.cluster_id, "--json", on=rehearsal)
    assert result.json == {"cluster_id": rehearsal.cluster_id, "paused": True}
    assert rehearsal.account.tags == {(rehearsal.cluster_id, "emr-autoscaler:paused"): "true"}
    assert rehearsal.ports.registry.get(rehearsal.cluster_id).is_paused
    record = rehearsal.system.use_cases.scale_task_groups(rehearsal.cluster_id, trigger="test")
    assert record.decision.reason == "PAUSED"


def test_resume_removes_the_tag_and_asks_for_a_look(run, rehearsal) -> None:
    run("pause", rehearsal.cluster_id, on=rehearsal)
    result = run("resume", rehearsal.cluster_id, on=rehearsal)
    assert result.code == 0
    assert rehearsal.account.tags == {}
    assert not rehearsal.ports.registry.get(rehearsal.cluster_id).is_paused
    assert {(m.kind, m.cause) for m in rehearsal.ports.queue.take()} == {("TASK", "resumed"), ("CORE", "resumed")}


def test_pause_of_a_cluster_that_is_not_enrolled_writes_nothing(run, rehearsal) -> None:
    result = run("pause", "j-UNKNOWN", on=rehearsal)
    assert result.code == 1
    assert rehearsal.account.tags == {}


def test_a_dry_run_is_shown_as_one(run) -> None:
    rehearsal = Rehearsal(mode=Mode.DRY_RUN)
    rehearsal.run(timedelta(minutes=5))
    (shown,) = run("status", "--json", on=rehearsal).json["clusters"]
    assert shown["mode"] == "dry_run"
