"""Policies take effect while clusters run, bad ones never act, and a dry run tells what a live one does first."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, Mode, TaskPolicy
from emr_autoscaler.domain.record import Outcome

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
POOLS = ("m5.xlarge", "c5.2xlarge")


def document(**changes: Any) -> str:
    base: dict[str, Any] = {"mode": "live", "task": {"max_nodes": 4}, "idle": {"enabled": False}}
    return json.dumps(base | changes)


def from_document(text: str) -> tuple[Story, str]:
    story = Story(calm_world())
    story.policies.put_document("default", text)
    cluster_id = story.start(cluster(core=2, task=1, tags=OPTED_IN))
    return story, cluster_id


# --------------------------------------------------------------------------- policies


def test_a_policy_that_cannot_be_read_leaves_the_last_good_one_in_force_and_names_the_field() -> None:
    story, cluster_id = from_document(document())
    story.policies.put_document("default", document(task={"max_nodes": 4, "max_node": 9}))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(2 * HOUR)
    assert story.ordered(cluster_id) == 4
    complaints = [n for n in story.ports.notifier.sent if n.attributes["reason"] == "POLICY_INVALID"]
    assert 2 <= len(complaints) <= 3
    assert "task.max_node: there is no such field; did you mean max_nodes?" in complaints[0].body
    recorded = story.decisions(cluster_id, DecisionKind.POLICY)
    assert {r.decision.reason for r in recorded} == {Reason.POLICY_INVALID}
    assert "task.max_node" in recorded[0].decision.detail


def test_a_policy_that_never_could_be_read_does_nothing_at_all() -> None:
    story, cluster_id = from_document("{")
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(HOUR)
    assert story.actions(cluster_id, DecisionKind.TASK) == []
    assert Reason.POLICY_INVALID in {r.decision.reason for r in story.decisions(cluster_id)}


def test_a_mended_policy_takes_effect_without_deploying() -> None:
    story, cluster_id = from_document(document(task={"max_nodes": "four"}))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(20 * MINUTE)
    story.policies.put_document("default", document(task={"max_nodes": 6}))
    story.run(10 * MINUTE)
    assert story.ordered(cluster_id) == 6


def test_a_maximum_lowered_under_load_takes_effect_without_deploying() -> None:
    story, cluster_id = from_document(document(task={"max_nodes": 8}))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(20 * MINUTE)
    assert story.ordered(cluster_id) == 8
    story.policies.put_document("default", document(task={"max_nodes": 5}))
    story.run(10 * MINUTE)
    assert story.ordered(cluster_id) == 5


def test_types_added_to_a_policy_become_task_groups_of_running_clusters() -> None:
    story, cluster_id = from_document(document())
    story.policies.put_document("default", document(task={"max_nodes": 4, "instance_types": list(POOLS)}))
    story.run(10 * MINUTE)
    assert {"emr-autoscaler spot m5.xlarge", "emr-autoscaler spot c5.2xlarge"} <= set(story.groups(cluster_id))
    (added,) = [r for r in story.decisions(cluster_id) if r.decision.action is Action.ADD_GROUPS]
    assert (added.outcome, added.decision.reason) == (Outcome.DONE, Reason.TASK_GROUPS_MISSING)


def test_a_rehearsal_that_is_over_acts_without_deploying() -> None:
    story, cluster_id = from_document(document(mode="dry_run"))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.run(20 * MINUTE)
    assert story.ordered(cluster_id) == 1
    story.policies.put_document("default", document(mode="live"))
    story.run(10 * MINUTE)
    assert story.ordered(cluster_id) == 4


# --------------------------------------------------------------------------- dry runs


def played(mode: Mode, **sections: Any) -> tuple[Story, str]:
    story = Story(calm_world(), live(mode=mode, **sections))
    cluster_id = story.start(
        cluster(core=4, task=1, tags=OPTED_IN),
        prepare=lambda new: story.world.set_hdfs_used_gib(new, 130),
    )
    return story, cluster_id


def told_decisions(story: Story, cluster_id: str) -> Iterator[tuple[Any, ...]]:
    """Every decision up to the first that orders something, as a twin would know it."""
    names = {g.group_id: name for name, g in story.groups(cluster_id).items()}

    def orders(decision: Decision) -> list[tuple[str, int, int]]:
        return sorted((names[t.group_id], t.previous_count, t.count) for t in decision.targets)

    made = [record.decision for record in story.decisions(cluster_id)]
    order = next(decision for decision in made if decision.changes_something)
    for decision in [d for d in made if d.decided_at < order.decided_at] + [order]:
        action, reason = decision.action, decision.reason
        yield decision.decided_at, decision.kind, action, reason, decision.detail, orders(decision)


DEMAND = {"task": TaskPolicy(max_nodes=7, min_nodes=1), "idle": IdlePolicy(enabled=False)}
DISKS = {"task": TaskPolicy(enabled=False), "core": CorePolicy(max_nodes=6), "idle": IdlePolicy(enabled=False)}
IDLE = {
    "task": TaskPolicy(enabled=False),
    "core": CorePolicy(enabled=False),
    "idle": IdlePolicy(idle_for=30 * MINUTE, min_age=30 * MINUTE),
}


@pytest.mark.parametrize("sections", [DEMAND, DISKS, IDLE], ids=["demand", "disks", "idle"])
def test_a_dry_run_decides_what_its_live_twin_does_first_and_changes_nothing(sections: dict[str, Any]) -> None:
    twins = [played(mode, **sections) for mode in (Mode.LIVE, Mode.DRY_RUN)]
    for story, cluster_id in twins:
        story.run(15 * MINUTE)
        if sections is DEMAND:
            story.world.submit_job(cluster_id, job(tasks=20_000))
        if sections is DISKS:
            story.world.set_hdfs_used_gib(cluster_id, 0.9 * story.world.inside(cluster_id).hdfs.capacity_gib)
        story.run(90 * MINUTE)
    (live_story, live_id), (dry_story, dry_id) = twins
    first = list(told_decisions(live_story, live_id))
    assert first == list(told_decisions(dry_story, dry_id))
    assert first[-1][2] in {Action.SCALE_OUT, Action.TERMINATE}
    writes = {"ModifyInstanceGroups", "AddInstanceGroups", "TerminateJobFlows"}
    assert not writes & {name for name, count in dry_story.world.calls.items() if count}
    assert writes & {name for name, count in live_story.world.calls.items() if count}


@pytest.mark.parametrize("sections", [DEMAND, DISKS, IDLE], ids=["demand", "disks", "idle"])
def test_a_dry_run_tells_people_what_its_live_twin_tells_them_first(sections: dict[str, Any]) -> None:
    told = []
    for mode in (Mode.LIVE, Mode.DRY_RUN):
        story, cluster_id = played(mode, **sections)
        story.world.submit_job(cluster_id, job(tasks=20_000 if sections is DEMAND else 1))
        story.world.set_hdfs_used_gib(cluster_id, 210 if sections is DISKS else 130)
        story.run(100 * MINUTE)
        told.append(story.ports.notifier.sent)
    (done, *_), (rehearsed, *_) = told
    assert rehearsed.subject == f"[dry run] {done.subject}"
    assert rehearsed.body == done.body
    assert rehearsed.attributes == done.attributes


def test_a_dry_run_counts_in_the_groups_it_would_have_created() -> None:
    sections = {"task": TaskPolicy(max_nodes=6, instance_types=POOLS), "idle": IdlePolicy(enabled=False)}
    orders = []
    for mode in (Mode.LIVE, Mode.DRY_RUN):
        story = Story(calm_world(), live(mode=mode, **sections))
        cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
        story.world.submit_job(cluster_id, job(tasks=20_000))
        story.run(15 * MINUTE)
        out = next(r for r in story.decisions(cluster_id) if r.decision.action is Action.SCALE_OUT)
        types = {g.group_id: (g.market, g.instance_type) for g in out.evidence.groups}  # type: ignore[union-attr]
        orders.append({types[t.group_id]: t.count for t in out.decision.targets})
        added = [r for r in story.decisions(cluster_id) if r.decision.action is Action.ADD_GROUPS]
        assert [r.outcome for r in added] == [Outcome.DONE if mode is Mode.LIVE else Outcome.DRY_RUN]
    assert orders[0] == orders[1]
    assert sum(orders[0].values()) == 6
    assert not [g for g in story.ports.registry.get(cluster_id).groups if g.group_id.startswith("planned-")]


def test_an_order_that_a_dry_run_told_of_is_not_told_again_while_it_stands() -> None:
    story, cluster_id = played(Mode.DRY_RUN, **DEMAND)
    story.world.submit_job(cluster_id, job(tasks=200_000))
    story.run(3 * HOUR)
    outs = [n for n in story.ports.notifier.sent if "SCALE_OUT" in n.subject]
    assert len(outs) == 1
    rehearsed = [r for r in story.decisions(cluster_id) if r.outcome is Outcome.DRY_RUN]
    assert len(rehearsed) > 10
    assert story.ordered(cluster_id, Role.TASK) == 1
