"""An order whose invocation died and never came again: the sweep says what EMR's own facts prove, and no more."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.faults import Fault, FaultyPorts
from tests.support.fleet_scenes import cluster as fleet_cluster
from tests.support.fleet_scenes import task_fleet
from tests.support.stories import OPTED_IN, Story, announced_as_idle, full_disks, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.decision import Action
from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.policy import IdlePolicy, Mode, TaskPolicy
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.usecases.follow_groups import Resize
from emr_autoscaler_cli.explain_words import what_became, what_was_done
from emr_simulator.descriptions import GroupResize

NO_IDLE = IdlePolicy(enabled=False)
LOST = timedelta(minutes=6)

Invoke = Callable[[UseCases, str], object]


def scale(use_cases: UseCases, cluster_id: str) -> object:
    return use_cases.scale_task_groups(cluster_id, trigger="dead")


def resize(use_cases: UseCases, cluster_id: str) -> object:
    return use_cases.resize_core_group(cluster_id, trigger="dead")


def reap(use_cases: UseCases, cluster_id: str) -> object:
    return use_cases.reap_idle_clusters([cluster_id], trigger="dead")


def busy(mode: Mode = Mode.LIVE) -> tuple[Story, str]:
    story = Story(calm_world(), live(idle=NO_IDLE))
    cluster_id = story.start(cluster(core=2, spot=1, tags=OPTED_IN))
    story.run(timedelta(minutes=30))
    story.policies.put(live(idle=NO_IDLE, mode=mode))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.world.run_for(timedelta(minutes=7))
    return story, cluster_id


def busy_fleet() -> tuple[Story, str]:
    story = Story(calm_world(), live(idle=NO_IDLE))
    cluster_id = story.start(fleet_cluster(task_fleet()))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.world.run_for(timedelta(minutes=7))
    return story, cluster_id


def with_too_many_nodes() -> tuple[Story, str]:
    task = TaskPolicy(max_nodes=10, min_nodes=6)
    story = Story(calm_world(), live(task=task, idle=NO_IDLE))
    cluster_id = story.start(cluster(core=2, spot=1, tags=OPTED_IN))
    story.run(timedelta(hours=1))
    story.policies.put(live(task=replace(task, min_nodes=0), idle=NO_IDLE))
    return story, cluster_id


def die(story: Story, cluster_id: str, invoke: Invoke, *, ordered: bool) -> DecisionRecord:
    """Let an invocation die right after its order, or right before it; return what stands in the journal."""
    fault = Fault()
    use_cases = UseCases(FaultyPorts(story.ports, fault))
    run = fault.run

    def dying(name: str, *rest: Any) -> object:
        _call, arguments, _options = rest
        if name.startswith("actuator.") and arguments[1:] != ([],):  # no groups beside a fleet are no order
            fault.armed_at, fault.after_effect = len(fault.calls) + 1, ordered
        return run(name, *rest)

    fault.run = dying  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        invoke(use_cases, cluster_id)
    record = the_order(story, cluster_id)
    assert record.outcome is Outcome.INTENDED
    return record


def the_order(story: Story, cluster_id: str) -> DecisionRecord:
    found = (r for r in story.decisions(cluster_id) if r.trigger == "dead" and r.decision.changes_something)
    return next(found)


def told(story: Story, record: DecisionRecord) -> list[str]:
    what = (record.decision.kind, record.decision.reason)
    sent = story.ports.notifier.sent
    return [n.body for n in sent if (n.attributes["kind"], n.attributes["reason"]) == what]


SCENES = {
    "task groups": (busy, scale),
    "task fleet": (busy_fleet, scale),
    "core group": (full_disks, resize),
    "idle cluster": (announced_as_idle, reap),
}


@pytest.mark.parametrize("name", SCENES)
def test_an_order_that_emr_took_is_done_and_says_how_that_is_known(name: str) -> None:
    prepare, invoke = SCENES[name]
    story, cluster_id = prepare()
    intent = die(story, cluster_id, invoke, ordered=True)
    before = len(told(story, intent))
    story.world.run_for(LOST)
    for _ in range(2):
        story.system.use_cases.sweep_fleet(full=True)
    record = the_order(story, cluster_id)
    assert (record.outcome, record.error) == (Outcome.DONE, "")
    assert "EMR has" in record.note or "the cluster has ended" in record.note
    assert record.note in what_became(record)
    assert len(told(story, intent)) - before == 1
    assert record.note in told(story, intent)[-1]


@pytest.mark.parametrize("name", SCENES)
def test_an_order_that_nobody_can_prove_is_not_known_rather_than_refused(name: str) -> None:
    prepare, invoke = SCENES[name]
    story, cluster_id = prepare()
    intent = die(story, cluster_id, invoke, ordered=False)
    before = len(told(story, intent))
    story.world.run_for(LOST)
    story.ports.queue.take()
    for _ in range(2):
        story.system.use_cases.sweep_fleet(full=True)
    record = the_order(story, cluster_id)
    assert (record.outcome, record.error) == (Outcome.UNKNOWN, "")
    assert "not known" in what_became(record)
    assert "not known" in what_was_done(record)
    assert len(told(story, intent)) - before == 1
    assert story.ports.queue.take()


def test_what_an_order_wants_remembered_is_remembered_when_it_is_proven() -> None:
    story, cluster_id = with_too_many_nodes()
    intent = die(story, cluster_id, scale, ordered=True)
    assert intent.decision.action is Action.SCALE_IN
    assert story.ports.registry.get(cluster_id).task.last_scale_in_at is None
    story.world.run_for(LOST)
    story.system.use_cases.sweep_fleet(full=True)
    assert story.ports.registry.get(cluster_id).task.last_scale_in_at == intent.decision.decided_at


def test_closing_what_died_asks_emr_nothing() -> None:
    story, cluster_id = busy()
    die(story, cluster_id, scale, ordered=True)
    story.world.run_for(LOST)
    calls = story.world.calls.copy()
    assert story.system.use_cases.close_lost_intents() == 1
    assert story.world.calls == calls


def test_a_count_that_cloudtrail_calls_somebody_elses_is_no_proof_for_the_sweep() -> None:
    story, cluster_id = busy()
    intent = die(story, cluster_id, scale, ordered=False)
    orders = [GroupResize(group_id=t.group_id, count=t.count) for t in intent.decision.targets]
    story.world.emr.modify_instance_groups(cluster_id, orders)
    resizes = [Resize(group_id=order.group_id, count=order.count) for order in orders]
    follow = story.system.use_cases.follow_groups
    assert follow.note_resizes(cluster_id, resizes, by="alice", at=story.world.now)
    story.world.run_for(LOST)
    story.system.use_cases.sweep_fleet(full=True)
    assert the_order(story, cluster_id).outcome is Outcome.UNKNOWN


def test_an_order_that_somebody_has_changed_since_is_not_known_and_said_to_be_so() -> None:
    story, cluster_id = busy()
    intent = die(story, cluster_id, scale, ordered=True)
    before = len(told(story, intent))
    orders = [GroupResize(group_id=t.group_id, count=t.count + 1) for t in intent.decision.targets]
    story.world.emr.modify_instance_groups(cluster_id, orders)
    story.world.run_for(timedelta(minutes=2))
    scale(story.system.use_cases, cluster_id)
    record = the_order(story, cluster_id)
    assert (record.outcome, bool(record.told_as)) == (Outcome.UNKNOWN, True)
    assert len(told(story, intent)) - before == 1


def test_an_order_that_never_went_out_and_came_too_late_is_said_to_have_changed_nothing() -> None:
    story, cluster_id = busy()
    die(story, cluster_id, scale, ordered=False)
    story.world.run_for(LOST)
    scale(story.system.use_cases, cluster_id)
    record = the_order(story, cluster_id)
    assert (record.outcome, record.error) == (Outcome.FAILED, "")
    assert "EMR has the counts of before" in what_became(record)
    assert "refused" not in what_was_done(record) + what_became(record)


def test_an_order_that_emr_took_is_done_although_the_policy_became_a_dry_run_since() -> None:
    story, cluster_id = busy()
    die(story, cluster_id, scale, ordered=True)
    story.policies.put(live(idle=NO_IDLE, mode=Mode.DRY_RUN))
    story.world.run_for(timedelta(minutes=2))
    scale(story.system.use_cases, cluster_id)
    record = the_order(story, cluster_id)
    assert (record.outcome, record.is_dry) == (Outcome.DONE, False)


def test_a_dead_rehearsal_stays_a_rehearsal() -> None:
    story, cluster_id = busy(Mode.DRY_RUN)
    die(story, cluster_id, scale, ordered=False)
    story.world.run_for(LOST)
    story.system.use_cases.sweep_fleet(full=True)
    assert the_order(story, cluster_id).outcome is Outcome.DRY_RUN


def test_the_sweep_leaves_an_intent_to_the_invocation_that_holds_the_cluster() -> None:
    story, cluster_id = busy()
    die(story, cluster_id, scale, ordered=True)
    story.world.run_for(LOST)
    with story.ports.leases.hold(cluster_id, owner="a retry"):
        assert story.system.use_cases.close_lost_intents() == 0
    assert the_order(story, cluster_id).outcome is Outcome.INTENDED


def test_an_outcome_that_could_not_be_told_is_told_by_the_next_sweep() -> None:
    story, cluster_id = busy()
    intent = die(story, cluster_id, scale, ordered=True)
    before = len(told(story, intent))
    story.world.run_for(LOST)
    fault = Fault()
    use_cases = UseCases(FaultyPorts(story.ports, fault))
    run = fault.run
    fault.run = lambda name, *rest: failing(name) if name == "notifier.notify" else run(name, *rest)  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        use_cases.sweep_fleet(full=True)
    assert len(told(story, intent)) == before
    story.system.use_cases.sweep_fleet(full=True)
    assert len(told(story, intent)) - before == 1


def failing(name: str) -> None:
    raise UnavailableError(f"{name} failed")


def test_a_message_that_comes_after_the_sweep_finds_the_order_done_and_told() -> None:
    story, cluster_id = busy()
    intent = die(story, cluster_id, scale, ordered=True)
    story.world.run_for(LOST)
    story.system.use_cases.sweep_fleet(full=True)
    before, calls = len(told(story, intent)), story.world.calls["ModifyInstanceGroups"]
    answer = story.system.use_cases.scale_task_groups.answer(cluster_id, trigger="dead")
    assert answer.repeated
    assert len(told(story, intent)) == before
    assert story.world.calls["ModifyInstanceGroups"] == calls


# --------------------------------------------------------------------------- savings


def saved_by_reaping(story: Story, cluster_id: str) -> Decimal:
    hours = story.ports.costs.hours_of_cluster(story.world.settings.account_id, "us-east-1", cluster_id)
    found = [h.savings.reaping for h in hours if h.savings is not None and h.savings.reaping is not None]
    return sum((saving.saved_usd for saving in found), Decimal(0))


def test_the_savings_of_a_reaped_cluster_are_not_lost_with_the_invocation_that_ended_it() -> None:
    story, cluster_id = announced_as_idle()
    die(story, cluster_id, reap, ordered=True)
    story.run(timedelta(hours=3))
    assert the_order(story, cluster_id).outcome is Outcome.DONE
    assert saved_by_reaping(story, cluster_id) > 0


def test_no_savings_are_claimed_for_a_cluster_that_had_ended_before() -> None:
    story, cluster_id = announced_as_idle()
    intent = die(story, cluster_id, reap, ordered=False)
    story.world.emr.terminate_job_flows([cluster_id])
    story.world.run_for(LOST)
    later: datetime = story.world.now
    moved = replace(intent.decision, decided_at=later)
    story.ports.decisions.put(replace(intent, outcome=Outcome.FAILED))
    story.ports.decisions.put(replace(intent, record_id="later", decision=moved))
    story.world.run_for(LOST)
    story.system.use_cases.sweep_fleet(full=True)
    (record,) = (r for r in story.decisions(cluster_id) if r.record_id == "later")
    assert record.outcome is Outcome.UNKNOWN
