"""Invocations that die at any call, and are delivered again minutes later: no order is ever given twice."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.faults import Fault, FaultyPorts
from tests.support.stories import OPTED_IN, Story, full_disks, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Action, DecisionKind
from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.policy import IdlePolicy, TaskPolicy
from emr_autoscaler.domain.record import Outcome
from emr_simulator.descriptions import GroupResize

POOLS = ("m5.xlarge", "c5.2xlarge")
NO_IDLE = IdlePolicy(enabled=False)
STEP = 2
SOON = timedelta(seconds=61)
"""The lease of an invocation that died has run out, and with it the cooldown of what it ordered."""

TRIGGER = "message-1"
FAILS = [pytest.param(False, id="call failed"), pytest.param(True, id="answer lost")]
LATER = [pytest.param(timedelta(minutes=m), id=f"{m} min later") for m in (2, 8)]


def task_story(**changes: Any) -> tuple[Story, str]:
    task = TaskPolicy(**{"max_nodes": 20, "instance_types": POOLS, **changes})
    story = Story(calm_world(), live(task=task, idle=NO_IDLE))
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(timedelta(minutes=10))
    return story, cluster_id


def burst() -> tuple[Story, str]:
    """A cluster that wants many more nodes than one order may buy."""
    story, cluster_id = task_story(max_step_nodes=STEP, scale_out_cooldown=timedelta(minutes=1))
    story.world.submit_job(cluster_id, job(tasks=60_000))
    story.world.run_for(timedelta(minutes=7))
    return story, cluster_id


def warned() -> tuple[Story, str]:
    """A cluster of four spot nodes, one of which EC2 takes back."""
    story, cluster_id = task_story(min_nodes=4)
    victim = next(iter(story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"].nodes))
    story.world.warn_spot_interruption(victim.ec2_id)
    return story, cluster_id


def scale(use_cases: UseCases, _story: Story, cluster_id: str, trigger: str = TRIGGER) -> object:
    return use_cases.scale_task_groups(cluster_id, trigger=trigger)


def resize(use_cases: UseCases, _story: Story, cluster_id: str) -> object:
    return use_cases.resize_core_group(cluster_id, trigger=TRIGGER)


def answer(use_cases: UseCases, story: Story, cluster_id: str) -> object:
    nodes = story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"].all_nodes
    victim = next(node for node in nodes if node.warned)
    return use_cases.handle_interruption.answer_warning(victim.ec2_id, warned_at=WARNED_AT, trigger=TRIGGER)


WARNED_AT = calm_world().now + timedelta(minutes=30)

Step = Callable[[UseCases, Story, str], object]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    prepare: Callable[[], tuple[Story, str]]
    invoke: Step
    role: Role = Role.TASK

    def play(
        self,
        number: int | None,
        *,
        after_effect: bool,
        between: Callable[[Story, str], None],
        later: timedelta = timedelta(minutes=2),
    ) -> tuple[Story, str, Fault]:
        """Let call ``number`` fail, let something happen, and deliver the same again ``later``."""
        story, cluster_id = self.prepare()
        fault = Fault()
        use_cases = UseCases(FaultyPorts(story.ports, fault))
        if number is not None:
            fault.arm(number, after_effect=after_effect)
        try:
            self.invoke(use_cases, story, cluster_id)
        except UnavailableError:
            assert number is not None
        story.world.run_for(SOON)
        between(story, cluster_id)
        story.world.run_for(later - SOON)
        if number is not None:
            self.invoke(use_cases, story, cluster_id)
        return story, cluster_id, fault


SCENARIOS = {
    "scale": Scenario(prepare=burst, invoke=scale),
    "warning": Scenario(prepare=warned, invoke=answer),
    "core": Scenario(prepare=full_disks, invoke=resize, role=Role.CORE),
}


def nothing(_story: Story, _cluster_id: str) -> None:
    """Nothing happens in between."""


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("after_effect", FAILS)
def test_a_message_that_is_delivered_again_leads_to_one_order(
    name: str, later: timedelta, *, after_effect: bool
) -> None:
    scenario = SCENARIOS[name]
    undisturbed, cluster_id, counted = scenario.play(None, after_effect=False, between=nothing)
    wanted = undisturbed.ordered(cluster_id, scenario.role)
    for number in range(1, len(counted.calls) + 1):
        story, cluster_id, fault = scenario.play(number, after_effect=after_effect, between=nothing, later=later)
        assert story.ordered(cluster_id, scenario.role) <= wanted, f"call {number}: {fault.struck}"
        mine = [r for r in story.decisions(cluster_id) if r.trigger == TRIGGER and r.decision.targets]
        assert [r.outcome for r in mine if r.outcome is not Outcome.FAILED] == [Outcome.DONE]
        calls = story.world.calls["ModifyInstanceGroups"]
        scenario.invoke(story.system.use_cases, story, cluster_id)
        assert story.world.calls["ModifyInstanceGroups"] == calls, f"call {number}: {fault.struck}"


@pytest.mark.parametrize("after_effect", FAILS)
def test_each_of_two_messages_leads_to_one_order_where_the_first_died(*, after_effect: bool) -> None:
    def another(story: Story, cluster_id: str) -> None:
        scale(story.system.use_cases, story, cluster_id, "message-2")

    scenario = SCENARIOS["scale"]
    before, cluster_id = scenario.prepare()
    start = before.ordered(cluster_id)
    for number in range(1, len(scenario.play(None, after_effect=False, between=nothing)[2].calls) + 1):
        story, cluster_id, fault = scenario.play(number, after_effect=after_effect, between=another)
        assert story.ordered(cluster_id) - start <= 2 * STEP, f"call {number}: {fault.struck}"


@pytest.mark.parametrize("after_effect", FAILS)
def test_a_replacement_is_ordered_once_although_others_order_before_the_warning_comes_again(
    *, after_effect: bool
) -> None:
    def minimum_raised(story: Story, cluster_id: str) -> None:
        task = TaskPolicy(max_nodes=20, min_nodes=7, instance_types=POOLS)
        story.policies.put(live(task=task, idle=NO_IDLE))
        scale(story.system.use_cases, story, cluster_id, "message-2")

    scenario = SCENARIOS["warning"]
    undisturbed, cluster_id, counted = scenario.play(None, after_effect=False, between=minimum_raised)
    wanted = undisturbed.ordered(cluster_id)
    for number in range(1, len(counted.calls) + 1):
        story, cluster_id, fault = scenario.play(number, after_effect=after_effect, between=minimum_raised)
        assert story.ordered(cluster_id) <= wanted, f"call {number}: {fault.struck}"


@pytest.mark.parametrize("after_effect", FAILS)
def test_a_warning_between_death_and_return_is_not_forgotten(*, after_effect: bool) -> None:
    def warn(story: Story, cluster_id: str) -> None:
        victim = next(iter(story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"].nodes))
        story.world.warn_spot_interruption(victim.ec2_id)
        task = TaskPolicy(max_nodes=story.ordered(cluster_id), instance_types=POOLS)
        story.policies.put(live(task=task, idle=NO_IDLE))
        record = story.system.use_cases.handle_interruption.answer_warning(
            victim.ec2_id, warned_at=story.world.now, trigger="warning"
        )
        assert record is not None
        story.policies.put(live(task=replace(task, max_nodes=20, max_step_nodes=STEP), idle=NO_IDLE))

    def grown() -> tuple[Story, str]:
        story, cluster_id = task_story(min_nodes=4, max_step_nodes=STEP)
        story.world.submit_job(cluster_id, job(tasks=60_000))
        story.world.run_for(timedelta(minutes=7))
        return story, cluster_id

    scenario = Scenario(prepare=grown, invoke=scale)
    for number in range(1, len(scenario.play(None, after_effect=False, between=nothing)[2].calls) + 1):
        story, cluster_id, fault = scenario.play(number, after_effect=after_effect, between=warn)
        assert story.ports.registry.get(cluster_id).task.lost, f"call {number}: {fault.struck}"


@pytest.mark.parametrize("after_effect", FAILS)
def test_what_an_operator_orders_between_death_and_return_stands(*, after_effect: bool) -> None:
    def operator(story: Story, cluster_id: str) -> None:
        spot = story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"]
        order = GroupResize(group_id=spot.group_id, count=9)
        story.world.emr.modify_instance_groups(cluster_id, [order])

    scenario = SCENARIOS["scale"]
    for number in range(1, len(scenario.play(None, after_effect=False, between=nothing)[2].calls) + 1):
        story, cluster_id, fault = scenario.play(number, after_effect=after_effect, between=operator)
        spot = story.groups(cluster_id)["emr-autoscaler spot m5.xlarge"]
        assert spot.requested == 9, f"call {number}: {fault.struck}"


def test_a_notification_that_was_lost_is_sent_when_the_message_comes_again() -> None:
    scenario = SCENARIOS["scale"]
    calls = scenario.play(None, after_effect=False, between=nothing)[2].calls
    number = max(n for n, name in enumerate(calls, 1) if name == "notifier.notify")
    story, cluster_id, _ = scenario.play(number, after_effect=False, between=nothing)
    (order,) = (r for r in story.decisions(cluster_id, DecisionKind.TASK) if r.trigger == TRIGGER)
    assert order.decision.action is Action.SCALE_OUT
    told = [n for n in story.ports.notifier.sent if n.attributes["reason"] == order.decision.reason]
    assert len(told) == 1
