"""Every event that is asked for is read from AWS's own shape; what cannot be read names its field."""

import contextlib
import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.sample_events import load

from emr_autoscaler.domain.cluster import ClusterState, GroupState, Market, Role
from emr_autoscaler.domain.errors import InvalidEventError
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.messages.alarm_events import AlarmState, AlarmStateChange, ScheduledTick
from emr_autoscaler.messages.ec2_events import HealthEvent, RebalanceRecommendation, SpotWarning
from emr_autoscaler.messages.emr_events import (
    ClusterStateChange,
    InstanceFleetCapacity,
    InstanceFleetStateChange,
    InstanceGroupCapacity,
    InstanceGroupStateChange,
)
from emr_autoscaler.messages.evaluations import read_evaluation
from emr_autoscaler.messages.events import MODELS, read_event

SPOT_WARNING = {
    "version": "0",
    "id": "1e5527d7-bb36-4607-3370-4164db56a40e",
    "detail-type": "EC2 Spot Instance Interruption Warning",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "1970-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1b:instance/i-0b662ef9931388ba0"],
    "detail": {"instance-id": "i-0b662ef9931388ba0", "instance-action": "terminate"},
}
"""As AWS documents it, its irregular ARN included."""

REAL: dict[str, dict[str, Any]] = {
    "EMR Cluster State Change": {
        "severity": "INFO",
        "stateChangeReason": '{"code":""}',
        "name": "Development Cluster",
        "clusterId": "j-123456789ABCD",
        "state": "STARTING",
        "message": "Amazon EMR cluster j-123456789ABCD (Development Cluster) was requested.",
    },
    "EMR Instance Group State Change": {
        "market": "SPOT",
        "severity": "INFO",
        "requestedInstanceCount": "2",
        "runningInstanceCount": "1",
        "instanceType": "m5.xlarge",
        "instanceGroupType": "TASK",
        "instanceGroupId": "ig-ABCDEFGHIJKL",
        "clusterId": "j-123456789ABCD",
        "state": "RESIZING",
        "message": "The resizing operation is in progress.",
    },
    "EMR Instance Group Provisioning": {
        "clusterId": "j-123456789ABCD",
        "eventCode": "EC2 provisioning - Insufficient Instance Capacity",
        "instanceGroupType": "TASK",
    },
}


def event(detail_type: str, detail: dict[str, Any], source: str = "aws.emr") -> dict[str, Any]:
    return {**SPOT_WARNING, "detail-type": detail_type, "source": source, "detail": detail}


def detail_of(raw: dict[str, Any]) -> Any:
    found = read_event(raw)
    assert found is not None
    return found.detail


def test_a_spot_warning_as_documented_is_read() -> None:
    found = read_event(SPOT_WARNING)
    assert found is not None
    assert (found.id, found.time) == (SPOT_WARNING["id"], datetime(1970, 1, 1, tzinfo=UTC))
    assert found.detail == SpotWarning(ec2_instance_id="i-0b662ef9931388ba0", instance_action="terminate")


def test_a_rebalance_recommendation_is_read() -> None:
    raw = event("EC2 Instance Rebalance Recommendation", {"instance-id": "i-0b662ef9931388ba0"}, "aws.ec2")
    assert detail_of(raw) == RebalanceRecommendation(ec2_instance_id="i-0b662ef9931388ba0")


def test_a_cluster_state_change_is_read() -> None:
    raw = event("EMR Cluster State Change", REAL["EMR Cluster State Change"])
    assert detail_of(raw) == ClusterStateChange(cluster_id="j-123456789ABCD", state=ClusterState.STARTING)


def test_the_counts_of_a_group_are_strings_and_become_numbers() -> None:
    change = detail_of(event("EMR Instance Group State Change", REAL["EMR Instance Group State Change"]))
    assert isinstance(change, InstanceGroupStateChange)
    group = change.to_group()
    assert (group.role, group.market, group.state) == (Role.TASK, Market.SPOT, GroupState.RESIZING)
    assert (group.requested_count, group.running_count) == (2, 1)


@pytest.mark.parametrize(
    ("code", "dry"),
    [
        ("EC2 provisioning - Insufficient Instance Capacity", True),
        ("EC2 Provisioning - INSUFFICIENT INSTANCE CAPACITY", True),
        ("ec2 provisioning - insufficient instance capacity", True),
        ("EC2 provisioning - Service Quota Exceeded", False),
    ],
)
@pytest.mark.parametrize("kind", ["EMR Instance Group Provisioning", "EMR Instance Group Resize"])
def test_a_dry_pool_is_recognised_whatever_the_case_of_its_code(kind: str, code: str, *, dry: bool) -> None:
    found = detail_of(event(kind, {"clusterId": "j-123456789ABCD", "eventCode": code, "unknown": {"a": 1}}))
    assert isinstance(found, InstanceGroupCapacity)
    assert (found.is_insufficient_capacity, found.group_id) == (dry, None)


def test_a_health_event_names_each_instance_once() -> None:
    detail = {
        "service": "ec2",
        "eventTypeCategory": "scheduledChange",
        "affectedEntities": [{"entityValue": v} for v in ("i-0a", "i-0b", "i-0a", "vol-1")],
    }
    found = detail_of(event("AWS Health Event", detail, "aws.health"))
    assert isinstance(found, HealthEvent)
    assert (found.service, found.ec2_instance_ids) == ("EC2", ("i-0a", "i-0b"))


def test_an_alarm_names_its_cluster_by_its_dimension() -> None:
    found = detail_of(load("task-alarm"))
    assert isinstance(found, AlarmStateChange)
    assert found.state in AlarmState
    assert found.cluster_id.startswith("j-")


def test_a_schedule_says_all_by_its_time() -> None:
    assert isinstance(detail_of(load("scheduled-event")), ScheduledTick)


@pytest.mark.parametrize(
    ("source", "detail_type"),
    [
        ("aws.emr", "EMR Configuration Error"),
        ("aws.ec2", "EMR Cluster State Change"),
        ("aws.s3", "Object Created"),
        (None, None),
    ],
)
def test_a_kind_nobody_asked_for_is_not_an_event_of_ours(source: str | None, detail_type: str | None) -> None:
    assert read_event({"source": source, "detail-type": detail_type, "detail": {"whatever": 1}}) is None
    assert read_event({}) is None


@pytest.mark.parametrize(
    ("detail_type", "field", "value"),
    [
        ("EMR Cluster State Change", "clusterId", None),
        ("EMR Cluster State Change", "clusterId", "j-lower"),
        ("EMR Cluster State Change", "state", "DREAMING"),
        ("EMR Instance Group State Change", "requestedInstanceCount", "two"),
        ("EMR Instance Group State Change", "runningInstanceCount", "-1"),
        ("EMR Instance Group State Change", "instanceGroupType", "SPARE"),
        ("EMR Instance Group State Change", "instanceGroupId", ""),
        ("EMR Instance Group Provisioning", "eventCode", None),
        ("EMR Instance Group Provisioning", "clusterId", 5),
    ],
)
def test_a_malformed_event_names_its_field(detail_type: str, field: str, value: object) -> None:
    detail = {**REAL[detail_type], field: value}
    if value is None:
        del detail[field]
    with pytest.raises(InvalidEventError, match=field):
        read_event(event(detail_type, detail))


@pytest.mark.parametrize("field", ["id", "time", "detail"])
def test_a_malformed_envelope_names_its_field(field: str) -> None:
    raw = copy.deepcopy(SPOT_WARNING)
    del raw[field]
    with pytest.raises(InvalidEventError, match=field):
        read_event(raw)


def test_a_time_without_a_zone_is_malformed() -> None:
    with pytest.raises(InvalidEventError, match="time"):
        read_event({**SPOT_WARNING, "time": "2026-10-05T12:00:00"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(kind=st.sampled_from(sorted(MODELS)), detail=json_values)
def test_whatever_a_known_event_holds_it_is_read_or_refused(kind: tuple[str, str], detail: Any) -> None:
    with contextlib.suppress(InvalidEventError):
        found = read_event(event(kind[1], detail, kind[0]))
        assert isinstance(found.detail, MODELS[kind])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "cluster_id"),
        ('{"cluster_id": "x", "kind": "TASK", "requested_at": "2026-10-05T12:00:00Z", "cause": ""}', "cluster_id"),
        ('{"cluster_id": "j-A", "kind": "TEA", "requested_at": "2026-10-05T12:00:00Z", "cause": ""}', "kind"),
        ("not json", "body"),
    ],
)
def test_a_malformed_evaluation_names_its_field(body: str, field: str) -> None:
    with pytest.raises(InvalidEventError, match=field):
        read_evaluation(body)


FLEET_CHANGE: dict[str, Any] = {
    "severity": "INFO",
    "clusterId": "j-123456789ABCD",
    "instanceFleetId": "if-ABCDEFGHIJKL",
    "instanceFleetType": "TASK",
    "state": "WAITING",
    "targetOnDemandCapacity": 0,
    "targetSpotCapacity": 8.0,
    "provisionedSpotCapacity": "6",
    "message": "The resizing operation is complete.",
}


def known_fleet() -> InstanceFleet:
    return InstanceFleet(
        fleet_id="if-ABCDEFGHIJKL",
        role=Role.TASK,
        state=GroupState.RESIZING,
        target_on_demand_units=1,
        target_spot_units=2,
        provisioned_on_demand_units=3,
        provisioned_spot_units=4,
    )


def test_a_fleet_is_what_its_event_tells_and_the_rest_stays() -> None:
    change = detail_of(event("EMR Instance Fleet State Change", FLEET_CHANGE))
    assert isinstance(change, InstanceFleetStateChange)
    fleet = change.apply_to(known_fleet())
    assert fleet.state is GroupState.RUNNING
    assert (fleet.target_on_demand_units, fleet.target_spot_units) == (0, 8)
    assert (fleet.provisioned_on_demand_units, fleet.provisioned_spot_units) == (3, 6)


@pytest.mark.parametrize(
    ("code", "short"),
    [
        ("EC2 provisioning - Insufficient Instance Capacity", True),
        ("Spot Provisioning timeout", True),
        ("SPOT PROVISIONING TIMEOUT", True),
        ("On-Demand provisioning timeout", False),
        ("EC2 provisioning - Service Quota Exceeded", False),
    ],
)
@pytest.mark.parametrize("kind", ["EMR Instance Fleet Provisioning", "EMR Instance Fleet Resize"])
def test_a_fleet_short_of_spot_is_recognised_whatever_the_case_of_its_code(
    kind: str, code: str, *, short: bool
) -> None:
    found = detail_of(event(kind, {"clusterId": "j-123456789ABCD", "eventCode": code, "unknown": 1}))
    assert isinstance(found, InstanceFleetCapacity)
    assert (found.is_insufficient_capacity, found.fleet_id) == (short, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [("targetSpotCapacity", -1), ("targetSpotCapacity", 1.5), ("state", "SLEEPING"), ("instanceFleetId", "")],
)
def test_a_malformed_fleet_change_names_its_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidEventError, match=field):
        read_event(event("EMR Instance Fleet State Change", {**FLEET_CHANGE, field: value}))
