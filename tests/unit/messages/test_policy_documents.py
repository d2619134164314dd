"""What policy documents may say, and what is said of those that cannot be used."""

import json
import re
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from emr_autoscaler.domain.errors import InvalidPolicyError
from emr_autoscaler.domain.policy import (
    CapacityUnit,
    CorePolicy,
    CostPolicy,
    IdlePolicy,
    Mode,
    Objective,
    Policy,
    ScheduledMinimum,
    TaskPolicy,
    WorkloadProfile,
)
from emr_autoscaler.messages.policy import PolicyDocument, parse_policy

WINDOW = {
    "days": ["mon", "sun"],
    "from": "07:00",
    "to": "19:30",
    "time_zone": "Europe/Berlin",
    "min_nodes": 4,
}


def parse(document: Any) -> Policy:
    return parse_policy("nightly", json.dumps(document))


def task(**changes: Any) -> TaskPolicy:
    return parse({"task": changes}).task


def test_an_empty_document_is_the_domains_own_default():
    assert parse({}) == Policy(name="nightly")
    assert parse({}).mode is Mode.DRY_RUN


@pytest.mark.parametrize(
    ("section", "kind"),
    [("task", TaskPolicy), ("core", CorePolicy), ("idle", IdlePolicy), ("cost", CostPolicy)],
)
def test_a_document_has_exactly_the_fields_of_the_domain(section, kind):
    document = PolicyDocument.model_fields[section].annotation
    written = {name.removesuffix("_minutes") for name in document.model_fields}

    if section == "task":  # two parts of it have a form of their own
        written = written - {"bounds", "pools"} | {"unit", "min_units", "max_units", "profile", "on_demand_type"}
    assert written == {field.name for field in fields(kind)}


def test_bounds_in_instances_take_the_place_of_node_bounds():
    bounded = task(bounds={"unit": "instances", "min": 2, "max": 30})
    assert (bounded.min_nodes, bounded.max_nodes, bounded.max_units) == (2, 30, None)


def test_bounds_in_units_bound_nodes_only_where_that_is_written_down():
    bounds = {"unit": "units", "min": 4, "max": 160}
    bounded = task(bounds=bounds, weights={"m5.xlarge": 4, "m5.2xlarge": 8})
    assert (bounded.unit, bounded.min_units, bounded.max_units) == (CapacityUnit.UNITS, 4, 160)
    assert bounded.max_nodes == 2000
    assert task(bounds=bounds, max_nodes=25).max_nodes == 25


def test_pools_are_types_or_a_profile():
    assert task(pools={"profile": "external-wait"}).profile is WorkloadProfile.EXTERNAL_WAIT
    named = task(pools={"instance_types": ["m5.xlarge"], "on_demand_type": "m5a.xlarge"})
    assert (named.instance_types, named.on_demand_type) == (("m5.xlarge",), "m5a.xlarge")
    assert task(instance_types=["m5.xlarge"]).instance_types == ("m5.xlarge",)


def test_a_cap_in_money_is_exact():
    assert task(max_usd_per_hour=0.1).max_usd_per_hour == Decimal("0.1")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bounds": {"unit": "instances", "max": 5}, "max_nodes": 5}, "take the place of min_nodes and max_nodes"),
        ({"bounds": {"unit": "units", "min": 9, "max": 5}}, "task.bounds: min is above max"),
        ({"bounds": {"unit": "instances", "max": 5}, "on_demand_min_nodes": 6}, "on_demand_min_nodes is above"),
        (
            {"pools": {"instance_types": ["m5.xlarge"], "profile": "memory"}},
            "task.pools: instance_types and profile",
        ),
        ({"pools": {"profile": "memory"}, "instance_types": ["m5.xlarge"]}, "keep pools"),
        ({"pools": {"profil": "memory"}}, "did you mean profile?"),
        ({"on_demand_min_nodes": 4, "on_demand_max_nodes": 3}, "raise on_demand_max_nodes"),
        ({"objective": "cost", "drain_within_minutes": 5}, "objective and drain_within_minutes set the same knob"),
        ({"drain_within_minutes": 0}, "task.drain_within_minutes"),
        ({"spot_share": 1.5}, "task.spot_share"),
        ({"max_usd_per_hour": -1}, "task.max_usd_per_hour"),
    ],
)
def test_placement_that_contradicts_itself_names_the_field_and_the_fix(changes, said):
    with pytest.raises(InvalidPolicyError, match=re.escape(said)):
        task(**changes)


def test_durations_are_minutes():
    assert task(scale_in_cooldown_minutes=7.5).scale_in_cooldown == timedelta(minutes=7, seconds=30)
    assert parse({"idle": {"max_lifetime_minutes": 120}}).idle.max_lifetime == timedelta(hours=2)
    assert parse({"idle": {"max_lifetime_minutes": None}}).idle.max_lifetime is None


def test_the_knob_may_be_a_drain_time_of_ones_own():
    assert task(drain_within_minutes=20).drain_within == timedelta(minutes=20)
    assert task(drain_within_minutes=None, objective="cost").drain_within is None


def test_a_document_says_only_what_it_wants_otherwise():
    policy = parse({"mode": "live", "task": {"max_nodes": 7, "objective": "speed"}})

    expected = replace(TaskPolicy(), max_nodes=7, objective=Objective.SPEED)
    assert policy == Policy(name="nightly", mode=Mode.LIVE, task=expected)


def test_a_schedule_is_read_in_its_own_time_zone():
    assert task(schedules=[WINDOW]).schedules == (
        ScheduledMinimum(
            weekdays=frozenset({0, 6}),
            start_minute=420,
            end_minute=1170,
            time_zone="Europe/Berlin",
            min_nodes=4,
        ),
    )


def test_a_window_may_last_to_the_end_of_the_day():
    (window,) = task(schedules=[WINDOW | {"to": "24:00"}]).schedules

    assert window.end_minute == 1440


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"task": {"max_node": 3}}, "task.max_node: there is no such field; did you mean max_nodes?"),
        ({"tsk": {}}, "tsk: there is no such field; did you mean task?"),
        ({"idle": {"zzz": 1}}, "idle.zzz: there is no such field; known are enabled, idle_for_minutes"),
        ({"task": {"max_nodes": "10"}}, 'task.max_nodes: Input should be a valid integer; it is "10"'),
        ({"task": {"max_nodes": True}}, "task.max_nodes: Input should be a valid integer; it is true"),
        (
            {"task": {"max_nodes": 2001}},
            "task.max_nodes: Input should be less than or equal to 2000; it is 2001",
        ),
        ({"task": {"min_nodes": -1}}, "task.min_nodes: Input should be greater than or equal to 0; it is -1"),
        ({"task": {"min_nodes": 11}}, "task: min_nodes is above max_nodes; lower it or raise max_nodes"),
        ({"task": {"on_demand_min_nodes": 11}}, "task: on_demand_min_nodes is above max_nodes"),
        ({"task": {"instance_types": ["big"]}}, "task.instance_types[0]: String should match pattern"),
        ({"task": {"instance_types": ["m5.xlarge"] * 2}}, "task: instance_types names a type twice"),
        ({"task": {"objective": "fast"}}, "task.objective: Input should be 'cost', 'balanced' or 'speed'"),
        (
            {"task": {"schedules": [WINDOW | {"time_zone": "Mars"}]}},
            "task.schedules[0].time_zone: 'Mars' is not",
        ),
        (
            {"task": {"schedules": [WINDOW | {"time_zone": "../etc"}]}},
            "task.schedules[0].time_zone: '../etc' is",
        ),
        (
            {"task": {"schedules": [WINDOW | {"to": "06:00"}]}},
            "task.schedules[0]: `to` must be later than `from`",
        ),
        ({"task": {"schedules": [WINDOW | {"from": "7"}]}}, "task.schedules[0].from: String should match"),
        (
            {"task": {"schedules": [WINDOW | {"days": []}]}},
            "task.schedules[0].days: List should have at least 1",
        ),
        (
            {"task": {"schedules": [WINDOW | {"days": ["monday"]}]}},
            "task.schedules[0].days[0]: Input should be",
        ),
        (
            {"task": {"schedules": [WINDOW | {"min_nodes": 11}]}},
            "task: schedules: a min_nodes is above max_nodes",
        ),
        ({"task": {"schedules": [{"days": ["mon"]}]}}, "task.schedules[0].from: is needed"),
        (
            {"task": {"schedules": [WINDOW | {"untill": 1}]}},
            "task.schedules[0].untill: there is no such field",
        ),
        ({"core": {"hdfs_low": 0.8}}, "core: hdfs_low, hdfs_target and hdfs_high must rise in this order"),
        ({"core": {"hdfs_high": 75}}, "core.hdfs_high: Input should be less than 1; it is 75"),
        ({"core": {"min_nodes": 11}}, "core: min_nodes is above max_nodes"),
        (
            {"idle": {"idle_for_minutes": 0}},
            "idle.idle_for_minutes: Input should be greater than or equal to 10",
        ),
        ({"mode": "on"}, "mode: Input should be 'dry_run' or 'live'; it is \"on\""),
        ({"cost": {"first_hour_fee": 1}}, "cost.first_hour_fee: Input should be a valid boolean; it is 1"),
        ([], "document: Input should be an object"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(document, said):
    with pytest.raises(InvalidPolicyError) as refusal:
        parse(document)

    assert str(refusal.value).startswith("policy 'nightly': ")
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON at line 1 column 1"),
        ('{\n  "mode": }', "not JSON at line 2 column 11"),
        ('{"mode": "live", "mode": "dry_run"}', "mode: stands twice in one object; keep one"),
        ('{"task": {"max_nodes": 1, "max_nodes": 2}}', "max_nodes: stands twice"),
        ('{"core": {"hdfs_high": NaN}}', "NaN is not a JSON number"),
    ],
)
def test_what_is_no_proper_json_is_named_with_its_place(text, said):
    with pytest.raises(InvalidPolicyError, match=said):
        parse_policy("nightly", text)


def test_several_mistakes_are_told_together():
    with pytest.raises(InvalidPolicyError) as refusal:
        parse({"task": {"a": 1, "b": 2}, "core": {"c": 3}, "idle": {"d": 4, "e": 5}, "cost": {"f": 6, "g": 7}})

    assert "task.a" in str(refusal.value)
    assert "idle.e" in str(refusal.value)
    assert str(refusal.value).endswith("and 2 more")
