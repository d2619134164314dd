"""Each rule and schedule of the deployed stack: a sample reaches its function, a near miss does not."""

from datetime import timedelta

import pytest
from tests.support.rehearsal import Rehearsal
from tests.support.sample_events import NEAR_MISSES, REACHES, NearMiss
from tests.support.template import PREFIX, patterns

from emr_simulator.local_aws import ScheduleDriver


@pytest.mark.parametrize("sample", sorted(REACHES))
def test_a_sample_reaches_its_functions(rehearsal: Rehearsal, sample: str) -> None:
    cluster_id = rehearsal.run_cluster(task=1)
    deliveries = rehearsal.driver.deliver(rehearsal.sample(sample, cluster_id))
    assert rehearsal.reached(deliveries) == REACHES[sample]


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_does_not_reach_the_function_of_its_rule(rehearsal: Rehearsal, miss: NearMiss) -> None:
    rules = {rule.name for rule in rehearsal.driver.matching(miss.event())}
    assert f"{PREFIX}-{miss.rule}" not in rules


def test_the_deployed_rules_are_those_of_the_template(rehearsal: Rehearsal) -> None:
    deployed = {rule.name for rule in rehearsal.driver.rules if rule.pattern}
    assert deployed == {rule for _, rule, _ in patterns()}


def test_every_schedule_fires_its_function(rehearsal: Rehearsal) -> None:
    schedules = ScheduleDriver(rehearsal.driver, rehearsal.world.now)
    first = {rule.name: (at, rule) for at, rule in schedules.pending(rehearsal.world.now + timedelta(days=1))}
    deliveries = tuple(d for at, rule in first.values() for d in schedules.fire(rule, at))
    assert rehearsal.reached(deliveries) == {
        "publish_statements",
        "reap_idle_clusters",
        "record_costs",
        "refresh_prices",
        "sweep_fleet",
    }


def test_an_event_nobody_asked_for_is_ignored_and_no_error(rehearsal: Rehearsal) -> None:
    event = rehearsal.sample("emr-cluster-state-change") | {"detail-type": "EMR Configuration Error"}
    assert rehearsal.driver.deliver(event) == ()
    function = rehearsal.stack.function_name("enroll_cluster")
    assert rehearsal.driver.invoke(function, event).result == {"ignored": "aws.emr EMR Configuration Error"}
