"""What the use cases do around a decision: intents, outcomes, notifications, leases, calls, order of events."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.faults import Fault, FaultyPorts
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Role
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.errors import (
    BusyError,
    ConflictError,
    InvalidPolicyError,
    RefusedError,
    UnavailableError,
)
from emr_autoscaler.domain.memory import PoolKey
from emr_autoscaler.domain.policy import IdlePolicy, Mode, TaskPolicy
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.messages.policy import parse_policy
from emr_autoscaler.usecases.registry_updates import update_entry
from emr_simulator.inprocess.policies import MemoryPolicies

NO_IDLE = IdlePolicy(enabled=False)


def busy_story(**policy: Any) -> tuple[Story, str]:
    """A cluster whose next look wants more nodes; nobody has looked yet."""
    story = Story(calm_world(), live(**{"idle": NO_IDLE, **policy}))
    cluster_id = story.start(cluster(core=2, spot=1, tags=OPTED_IN))
    story.run(timedelta(minutes=30))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.world.run_for(timedelta(minutes=7))
    story.world.take_events()
    return story, cluster_id


class Refusing:
    """An actuator that EMR refuses everything."""

    is_dry = False

    def resize_groups(self, *_: Any) -> None:
        raise RefusedError("the group may not be resized")

    terminate_cluster = add_task_groups = resize_groups


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


def test_the_sweep_closes_lost_intents_and_asks_for_another_look() -> None:
    story, cluster_id = busy_story()
    story.ports.queue.take()
    record = story.system.use_cases.scale_task_groups(cluster_id, trigger="t")
    story.ports.decisions.put(replace(record, outcome=Outcome.INTENDED, told_as=""))
    story.world.run_for(timedelta(minutes=6))
    assert story.system.use_cases.sweep_fleet(full=True).lost_intents == 1
    lost = next(r for r in story.decisions(cluster_id) if r.record_id == record.record_id)
    assert lost.outcome is Outcome.DONE
    assert DecisionKind.TASK in {asked.kind for asked in story.ports.queue.take()}


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


def test_the_same_holds_for_core_groups() -> None:
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


def test_a_cluster_that_is_held_by_another_invocation_is_queued_for_another_look() -> None:
    story, cluster_id = busy_story()
    story.ports.queue.take()
    use_cases = story.system.use_cases
    with story.ports.leases.hold(cluster_id, owner="another"):
        assert use_cases.scale_task_groups.now_or_queued(cluster_id, trigger="alarm") is None
        assert use_cases.resize_core_group.now_or_queued(cluster_id, trigger="alarm") is None
        with pytest.raises(BusyError):
            use_cases.scale_task_groups(cluster_id, trigger="message")
        assert use_cases.reap_idle_clusters([cluster_id], trigger="schedule") == ()
    assert {asked.kind for asked in story.ports.queue.take()} == {DecisionKind.TASK, DecisionKind.CORE}


def test_a_conflict_is_read_and_changed_again() -> None:
    story, cluster_id = busy_story()
    registry = story.ports.registry
    attempts: list[int] = []

    class Contended:
        get = staticmethod(registry.get)

        @staticmethod
        def put(entry: Any) -> Any:
            attempts.append(entry.version)
            if len(attempts) == 1:
                registry.put(replace(registry.get(cluster_id), cost_centre="meanwhile"))
            return registry.put(entry)

    written = update_entry(Contended(), cluster_id, lambda e: replace(e, policy_name="other"))
    assert len(attempts) == 2
    assert (written.cost_centre, written.policy_name) == ("meanwhile", "other")


def test_a_conflict_that_never_ends_is_raised() -> None:
    story, cluster_id = busy_story()

    class Hopeless:
        get = staticmethod(story.ports.registry.get)

        @staticmethod
        def put(entry: Any) -> Any:
            raise ConflictError("again")

    with pytest.raises(ConflictError):
        update_entry(Hopeless(), cluster_id, lambda e: replace(e, policy_name="other"))


def test_an_invalid_policy_leaves_the_last_good_one_in_force_and_is_told_once_an_hour() -> None:
    story, cluster_id = busy_story()
    policies = MemoryPolicies(live(idle=NO_IDLE, task=TaskPolicy(max_nodes=4)), parse=parse_policy)
    policies.get("default")
    policies.put_document("default", '{"task": {"max_nodes": -1}}')
    story.ports.policies = policies
    use_cases = UseCases(story.ports)
    for trigger in "abc":
        record = use_cases.scale_task_groups(cluster_id, trigger=trigger)
        assert record is not None
    assert story.ordered(cluster_id) == 4
    complaints = [r for r in story.decisions(cluster_id) if r.decision.reason is Reason.POLICY_INVALID]
    assert len(complaints) == 1
    assert "max_nodes" in complaints[0].decision.detail
    story.world.run_for(timedelta(minutes=61))
    use_cases.scale_task_groups(cluster_id, trigger="d")
    assert len([r for r in story.decisions(cluster_id) if r.decision.reason is Reason.POLICY_INVALID]) == 2


def test_a_policy_that_was_never_good_acts_on_nothing() -> None:
    story, cluster_id = busy_story()

    class Broken:
        @staticmethod
        def get(_name: str) -> Any:
            raise InvalidPolicyError("task.max_nodes: below zero")

        @staticmethod
        def last_good(_name: str) -> None:
            return None

    story.ports.policies = Broken()
    before = story.ordered(cluster_id)
    assert UseCases(story.ports).scale_task_groups(cluster_id, trigger="t") is None
    assert story.ordered(cluster_id) == before


# --------------------------------------------------------------------------- events of groups


def seen_group(story: Story, cluster_id: str, role: Role, **changes: Any) -> InstanceGroup:
    entry = story.ports.registry.get(cluster_id)
    return replace(next(g for g in entry.groups if g.role is role), **changes)


def test_an_older_event_of_a_group_does_not_undo_a_newer_one() -> None:
    story, cluster_id = busy_story()
    note, now = story.system.use_cases.follow_groups.note_group, story.world.now
    note(cluster_id, seen_group(story, cluster_id, Role.TASK, running_count=7), at=now)
    note(cluster_id, seen_group(story, cluster_id, Role.TASK, running_count=3), at=now - timedelta(seconds=1))
    assert seen_group(story, cluster_id, Role.TASK).running_count == 7


def test_a_newer_event_of_one_group_does_not_hide_an_older_one_of_another() -> None:
    story, cluster_id = busy_story()
    note, now = story.system.use_cases.follow_groups.note_group, story.world.now
    note(cluster_id, seen_group(story, cluster_id, Role.TASK, running_count=7), at=now)
    note(cluster_id, seen_group(story, cluster_id, Role.CORE, running_count=5), at=now - timedelta(seconds=1))
    assert seen_group(story, cluster_id, Role.CORE).running_count == 5


def test_an_event_from_before_an_order_does_not_undo_it() -> None:
    story, cluster_id = busy_story()
    before = story.world.now - timedelta(seconds=1)
    old = seen_group(story, cluster_id, Role.TASK)
    story.system.use_cases.scale_task_groups(cluster_id, trigger="t")
    story.system.use_cases.follow_groups.note_group(cluster_id, old, at=before)
    assert seen_group(story, cluster_id, Role.TASK).requested_count == 10
    assert seen_group(story, cluster_id, Role.TASK).state is GroupState.RESIZING


def test_a_group_of_a_cluster_nobody_enrolled_is_ignored() -> None:
    story, cluster_id = busy_story()
    group = seen_group(story, cluster_id, Role.TASK)
    assert not story.system.use_cases.follow_groups.note_group("j-OTHER", group, at=story.world.now)


# --------------------------------------------------------------------------- interruptions and pools


def test_a_foreign_instance_is_nobodys_and_changes_nothing() -> None:
    story, _cluster_id = busy_story()
    foreign = story.world.add_foreign_instance("m5.xlarge", "us-east-1a")
    answer = story.system.use_cases.handle_interruption
    assert answer.answer_warning(foreign, warned_at=story.world.now, trigger="t") is None
    assert answer.answer_warning("i-0123456789abcdef0", warned_at=story.world.now, trigger="t") is None
    assert not answer.note_rebalance(foreign)


def test_insufficient_capacity_cools_the_pool_and_asks_for_a_look() -> None:
    story, cluster_id = busy_story()
    story.system.use_cases.scale_task_groups(cluster_id, trigger="t")
    story.ports.queue.take()
    story.world.run_for(timedelta(minutes=1))
    answer = story.system.use_cases.cool_pools
    assert answer.note_insufficient_capacity(cluster_id, None, trigger="event")
    zone = story.world.inside(cluster_id).zone
    (health,) = story.ports.pools.get([PoolKey(instance_type="m5.xlarge", availability_zone=zone)])
    assert health.is_cooling(story.world.now)
    assert [asked.kind for asked in story.ports.queue.take()] == [DecisionKind.TASK]
    assert not answer.note_insufficient_capacity("j-OTHER", None, trigger="event")


def test_maintenance_is_told_for_enrolled_clusters_only() -> None:
    story, cluster_id = busy_story()
    other = story.world.emr.run_job_flow(cluster())
    story.world.run_for(timedelta(minutes=30))
    ids = [n.ec2_id for c in (cluster_id, other) for n in story.world.inside(c).nodes() if n.ec2_id]
    assert story.system.use_cases.handle_interruption.note_maintenance(ids, trigger="t") == 1
    assert story.decisions(cluster_id)[-1].decision.reason is Reason.MAINTENANCE_SCHEDULED


def test_a_warned_core_node_is_told_loudly_and_nothing_is_ordered() -> None:
    story, cluster_id = busy_story()
    core = story.groups(cluster_id)["core"]
    calls = story.world.calls["ModifyInstanceGroups"]
    record = story.system.use_cases.handle_interruption.answer_warning(
        next(iter(core.nodes)).ec2_id, warned_at=story.world.now, trigger="t"
    )
    assert (record.decision.action, record.decision.reason) == (Action.ALERT, Reason.CORE_INTERRUPTED)
    assert story.ports.notifier.sent[-1].attributes["severity"] == "critical"
    assert story.world.calls["ModifyInstanceGroups"] == calls


# --------------------------------------------------------------------------- sweep


def test_a_cluster_whose_groups_emr_refuses_has_its_alarms_all_the_same() -> None:
    policy = live(task=TaskPolicy(max_nodes=10, instance_types=("m5.xlarge",)), idle=NO_IDLE)
    story = Story(calm_world(), policy)
    story.ports.actuators = {Mode.LIVE: Refusing()}
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    assert story.ports.alarms.list_alarms(f"emr-autoscaler-task-{cluster_id}")


def test_a_sweep_describes_a_few_clusters_and_all_of_them_in_turn() -> None:
    story = Story(calm_world(), live(idle=NO_IDLE))
    for _ in range(25):
        story.world.emr.run_job_flow(cluster())
    story.world.run_for(timedelta(minutes=60))
    described: set[str] = set()
    reader = story.ports.reader
    look = reader.describe_cluster
    reader.describe_cluster = lambda cluster_id: described.add(cluster_id) or look(cluster_id)  # type: ignore[method-assign, func-returns-value]
    for _ in range(3):
        before = story.world.calls["DescribeCluster"]
        story.system.use_cases.sweep_fleet(full=True)
        assert story.world.calls["DescribeCluster"] - before <= 10
        story.world.run_for(timedelta(minutes=5))
    assert len(described) == 25


def test_a_sweep_deletes_alarms_of_ours_that_belong_to_nobody_and_no_others() -> None:
    story, cluster_id = busy_story()
    story.ports.alarms.put_alarms([])
    kept = set(story.ports.registry.get(cluster_id).alarms)
    spec = next(iter(kept))
    described = story.world.cloudwatch.describe_alarms(names=[spec])[0].alarm
    for name in ("emr-autoscaler-task-j-GONE-pending", "somebody-elses-alarm"):
        story.world.cloudwatch.put_metric_alarm(replace(described, name=name))
    assert story.system.use_cases.sweep_fleet(full=True).orphan_alarms == 1
    assert {*story.ports.alarms.list_alarms("")} == kept | {"somebody-elses-alarm"}


def test_only_a_full_sweep_looks_at_emr() -> None:
    story, _cluster_id = busy_story()
    before = story.world.calls.copy()
    story.system.use_cases.sweep_fleet(full=False)
    assert not story.world.calls - before


def test_a_use_case_reads_no_port_it_was_not_asked_to() -> None:
    story, cluster_id = busy_story()
    fault = Fault()
    UseCases(FaultyPorts(story.ports, fault)).scale_task_groups("j-OTHER", trigger="t")
    assert fault.calls == ["leases.hold", "registry.get"]
    assert story.ports.registry.get(cluster_id) is not None
