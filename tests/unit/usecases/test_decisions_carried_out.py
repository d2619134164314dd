"""What the use cases do around a decision: intents, outcomes, notifications, calls."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.busy_clusters import NO_IDLE, Refusing, busy_story
from tests.support.faults import Fault, FaultyPorts
from tests.support.stories import OPTED_IN, Story, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.errors import (
    UnavailableError,
)
from emr_autoscaler.domain.policy import Mode, TaskPolicy
from emr_autoscaler.domain.record import Outcome


def test_the_intent_is_recorded_before_the_act() -> None:
    story, cluster_id = busy_story()
    seen: list[Outcome] = []

    class Watching(Refusing):
        def resize_groups(self, *_: Any) -> None:
            seen.extend(r.outcome for r in story.decisions(cluster_id) if r.decision.targets)

    story.ports.actuators = {Mode.LIVE: Watching()}
    record = UseCases(story.ports).scale_task_groups(cluster_id, trigger="t")
    assert seen[-1] is Outcome.INTENDED
    assert record is not None
    assert record.outcome is Outcome.DONE


def test_a_refusal_is_an_outcome_and_people_are_told() -> None:
    story, cluster_id = busy_story()
    story.ports.actuators = {Mode.LIVE: Refusing()}
    record = UseCases(story.ports).scale_task_groups(cluster_id, trigger="t")
    assert record is not None
    assert (record.outcome, record.error) == (Outcome.FAILED, "the group may not be resized")
    assert "EMR refused" in story.ports.notifier.sent[-1].body
    entry = story.ports.registry.get(cluster_id)
    assert entry.task.last_scale_out_at is None
    assert entry.task.next_evaluation_at == story.world.now + timedelta(minutes=5)


def test_an_unavailable_emr_leaves_the_intent_to_be_finished() -> None:
    story, cluster_id = busy_story()

    class Throttled(Refusing):
        def resize_groups(self, *_: Any) -> None:
            raise UnavailableError("slow down")

    story.ports.actuators = {Mode.LIVE: Throttled()}
    with pytest.raises(UnavailableError):
        UseCases(story.ports).scale_task_groups(cluster_id, trigger="t")
    assert [r.outcome for r in story.decisions(cluster_id)][-1] is Outcome.INTENDED


def test_orders_given_since_are_not_undone_by_an_old_intent() -> None:
    story, cluster_id = busy_story()
    use_cases = story.system.use_cases
    first = use_cases.scale_task_groups(cluster_id, trigger="first")
    smaller = tuple(replace(t, count=t.count - 1) for t in first.decision.targets)
    story.ports.decisions.put(
        replace(first, outcome=Outcome.INTENDED, decision=replace(first.decision, targets=smaller))
    )
    later = replace(
        first,
        record_id="2099",
        decision=replace(first.decision, decided_at=story.world.now + timedelta(seconds=1)),
    )
    story.ports.decisions.put(later)
    before = story.ordered(cluster_id)
    story.world.run_for(timedelta(seconds=30))
    use_cases.scale_task_groups(cluster_id, trigger="first")
    assert story.ordered(cluster_id) == before


def test_a_dry_run_records_and_notifies_and_orders_nothing() -> None:
    story, cluster_id = busy_story()
    story.policies.put(live(idle=NO_IDLE, mode=Mode.DRY_RUN))
    calls = story.world.calls.copy()
    record = story.system.use_cases.scale_task_groups(cluster_id, trigger="t")
    assert record.outcome is Outcome.DRY_RUN
    assert story.ports.notifier.sent[-1].subject.startswith("[dry run] SCALE_OUT")
    assert (story.world.calls - calls)["ModifyInstanceGroups"] == 0


def test_a_look_that_holds_makes_no_emr_call_and_one_that_acts_makes_two() -> None:
    story, cluster_id = busy_story()
    before = story.world.calls.copy()
    acted = story.system.use_cases.scale_task_groups(cluster_id, trigger="1")
    assert acted.outcome is Outcome.DONE
    made = {"ListInstanceGroups": 1, "ModifyInstanceGroups": 1, "DescribeSubnets": 1}
    assert {k: v for k, v in (story.world.calls - before).items() if k != "GetMetricData"} == made
    before = story.world.calls.copy()
    held = story.system.use_cases.scale_task_groups(cluster_id, trigger="2")
    assert held.outcome is Outcome.HELD
    assert set(story.world.calls - before) == {"GetMetricData"}


def test_a_look_at_core_groups_that_holds_makes_no_emr_call_and_one_that_acts_makes_two() -> None:
    story = Story(calm_world(), live(idle=NO_IDLE))
    cluster_id = story.start(
        cluster(core=4, tags=OPTED_IN), prepare=lambda new: story.world.set_hdfs_used_gib(new, 130)
    )
    before = story.world.calls.copy()
    assert story.system.use_cases.resize_core_group(cluster_id, trigger="1").outcome is Outcome.HELD
    assert set(story.world.calls - before) == {"GetMetricData"}
    story.world.set_hdfs_used_gib(cluster_id, 230)
    story.world.run_for(timedelta(minutes=7))
    before = story.world.calls.copy()
    assert story.system.use_cases.resize_core_group(cluster_id, trigger="2").outcome is Outcome.DONE
    emr = {"ListInstanceGroups": 1, "ModifyInstanceGroups": 1}
    assert {k: v for k, v in (story.world.calls - before).items() if k != "GetMetricData"} == emr


def test_a_cluster_whose_groups_emr_refuses_has_its_alarms_all_the_same() -> None:
    policy = live(task=TaskPolicy(max_nodes=10, instance_types=("m5.xlarge",)), idle=NO_IDLE)
    story = Story(calm_world(), policy)
    story.ports.actuators = {Mode.LIVE: Refusing()}
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    assert story.ports.alarms.list_alarms(f"emr-autoscaler-task-{cluster_id}")


def test_a_use_case_reads_no_port_it_was_not_asked_to() -> None:
    story, cluster_id = busy_story()
    fault = Fault()
    UseCases(FaultyPorts(story.ports, fault)).scale_task_groups("j-OTHER", trigger="t")
    assert fault.calls == ["leases.hold", "registry.get"]
    assert story.ports.registry.get(cluster_id) is not None
