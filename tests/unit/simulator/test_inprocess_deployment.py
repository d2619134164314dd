"""The in-process deployment wakes what the template wakes, and tries again as Lambda does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.sample_events import NEAR_MISSES, REACHES, NearMiss, load
from tests.support.template import PREFIX, functions, resolve, template, triggers
from tests.support.worlds import calm_world, cluster, run_cluster

from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.policy import Mode, Policy
from emr_simulator.inprocess import deployment as module
from emr_simulator.inprocess.deployment import (
    EVALUATION_DELAY,
    SCHEDULES,
    InProcessDeployment,
    routes_of,
)
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts
from emr_simulator.local_aws.schedules import parse_schedule
from emr_simulator.world import World

MIDNIGHT = datetime(2026, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize("sample", sorted(REACHES))
def test_an_event_reaches_the_functions_that_the_template_gives_it_to(sample: str) -> None:
    assert {route.__name__ for route in routes_of(load(sample), PREFIX)} == REACHES[sample]


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_reaches_fewer_functions_than_its_sample(miss: NearMiss) -> None:
    reached = {route.__name__ for route in routes_of(miss.event(), PREFIX)}
    assert reached < REACHES[miss.sample]


def deployed_firings(day: datetime) -> Iterator[tuple[str, datetime]]:
    for verb in functions():
        for properties in triggers(verb, "Schedule").values():
            schedule = parse_schedule(resolve(properties["Schedule"]))
            moment = day
            while (moment := schedule.after(moment)) <= day + timedelta(days=1):
                yield verb, moment


def test_schedules_fire_when_those_of_the_template_do() -> None:
    own = set()
    for schedule in SCHEDULES:
        moment = MIDNIGHT
        while (moment := schedule.next_after(moment)) <= MIDNIGHT + timedelta(days=1):
            own.add((schedule.route.__name__, moment))
    assert own == set(deployed_firings(MIDNIGHT))


def test_the_delay_of_evaluations_is_the_templates_default() -> None:
    default = template()["Parameters"]["EvaluationDelaySeconds"]["Default"]
    assert timedelta(seconds=default) == EVALUATION_DELAY


def deployment_on(world: World) -> InProcessDeployment:
    policies = MemoryPolicies(Policy(name="default", mode=Mode.LIVE))
    return InProcessDeployment(WorldPorts(world, policies))


def test_an_opted_in_cluster_is_enrolled_by_its_events_and_looked_at() -> None:
    world = calm_world()
    system = deployment_on(world)
    cluster_id = run_cluster(world, cluster(task=1, tags={"emr-autoscaler:policy": "default"}))
    for event in world.take_events():
        system.deliver(event)
    world.run_for(EVALUATION_DELAY)
    system.run_due()
    decided = system.use_cases.ports.decisions.of_cluster(cluster_id)
    assert {record.decision.kind for record in decided} == {"TASK", "CORE"}
    assert system.given_up == []


def test_a_cluster_that_did_not_opt_in_is_left_alone() -> None:
    world = calm_world()
    system = deployment_on(world)
    cluster_id = run_cluster(world, cluster(task=1))
    for event in world.take_events():
        system.deliver(event)
    system.run_due()
    assert system.use_cases.ports.registry.get(cluster_id) is None


def test_what_fails_is_tried_three_times_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[datetime] = []
    world = calm_world()
    system = deployment_on(world)

    def fail(*_: Any) -> None:
        attempts.append(world.now)
        raise UnavailableError("throttled")

    monkeypatch.setattr(module.routes, "enroll_cluster", fail)
    start = world.now
    system.deliver(load("emr-cluster-state-change"))
    while not system.given_up:
        world.run_until(system.next_at())
        system.run_due()
    waited = [int((at - start).total_seconds()) for at in attempts]
    assert waited == [0, 60, 180]


def test_a_malformed_event_is_kept() -> None:
    system = deployment_on(calm_world())
    system.deliver(load("emr-cluster-state-change", malformed=True))
    assert len(system.given_up) == 1
