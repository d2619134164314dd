"""The rules of the template against the samples in events/, judged offline by a second matcher (moto)."""

import json
from typing import Any

import pytest
from moto.events.models import EventPattern
from tests.support.sample_events import NEAR_MISSES, QUEUE_SAMPLES, REACHES, NearMiss, load
from tests.support.template import PREFIX, PROJECT, functions, patterns, triggers

from emr_autoscaler.domain.errors import InvalidEventError
from emr_autoscaler.messages.evaluations import read_evaluation
from emr_autoscaler.messages.events import read_event


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    return bool(EventPattern.load(json.dumps(pattern)).matches_event(event))


@pytest.mark.parametrize("sample", sorted(REACHES))
@pytest.mark.parametrize("malformed", [False, True], ids=["good", "malformed"])
def test_a_sample_reaches_its_functions_and_no_others(sample: str, malformed: bool) -> None:
    event = load(sample, malformed=malformed)
    assert {verb for verb, _, pattern in patterns() if matches(pattern, event)} == REACHES[sample]


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_does_not_match_its_rule(miss: NearMiss) -> None:
    by_rule = {rule: pattern for _, rule, pattern in patterns()}
    pattern = by_rule[f"{PREFIX}-{miss.rule}"]
    assert matches(pattern, load(miss.sample))
    assert not matches(pattern, miss.event())


def test_every_rule_has_a_near_miss() -> None:
    assert {rule for _, rule, _ in patterns()} == {f"{PREFIX}-{miss.rule}" for miss in NEAR_MISSES}


def test_an_insufficient_data_alarm_and_an_alarm_of_the_stack_itself_reach_nobody() -> None:
    alarm = load("task-alarm")
    for name in ("emr-autoscaler.errors.sweep-fleet", "emr-autoscaler.queue.failed-events"):
        alarm["detail"]["alarmName"] = name
        assert not [verb for verb, _, pattern in patterns() if matches(pattern, alarm)]


def test_every_sample_is_known_and_has_a_malformed_one_beside_it() -> None:
    names = {path.name.removesuffix(".json") for path in (PROJECT / "events").glob("*.json")}
    good = {name for name in names if not name.endswith(".malformed")}
    assert good == {*REACHES, *QUEUE_SAMPLES, "scheduled-event"}
    assert names - good == {f"{name}.malformed" for name in good}


def test_every_function_has_a_trigger() -> None:
    for verb in functions():
        assert functions()[verb]["Events"], verb
    for verb in ("reap_idle_clusters", "record_costs", "refresh_prices", "sweep_fleet"):
        assert triggers(verb, "Schedule"), verb
    for verb in ("scale_task_groups", "resize_core_group"):
        assert triggers(verb, "SQS"), verb


@pytest.mark.parametrize("sample", [*sorted(REACHES), "scheduled-event"])
def test_a_sample_is_understood_and_its_malformed_one_refused(sample: str) -> None:
    understood = read_event(load(sample))
    assert understood is not None
    assert understood.id == load(sample)["id"]
    with pytest.raises(InvalidEventError, match="malformed"):
        read_event(load(sample, malformed=True))


@pytest.mark.parametrize("sample", QUEUE_SAMPLES)
def test_a_queued_evaluation_is_understood_and_its_malformed_one_refused(sample: str) -> None:
    (record,) = load(sample)["Records"]
    assert read_evaluation(record["body"]).cluster_id == "j-1YONHTCP3YZKC"
    (malformed,) = load(sample, malformed=True)["Records"]
    with pytest.raises(InvalidEventError):
        read_evaluation(malformed["body"])
