"""Calls that CloudTrail tells of: who called, what they name, and what they order, however it is written."""

import copy
from typing import Any

import pytest
from tests.support.sample_events import load

from emr_autoscaler.messages.events import read_event
from emr_autoscaler.messages.operator_events import AutoScalingPolicyChange, EmrCall


def call(**changes: Any) -> EmrCall:
    """The sample with parts of its detail changed."""
    raw = copy.deepcopy(load("emr-operator-call"))
    raw["detail"] |= changes
    found = read_event(raw)
    assert found is not None
    assert isinstance(found.detail, EmrCall)
    return found.detail


def request(**parameters: Any) -> EmrCall:
    return call(requestParameters=parameters)


def test_the_sample_is_annas_resize() -> None:
    sample = call()
    assert sample.is_resize
    assert sample.cluster_ids == ("j-1YONHTCP3YZKC",)
    assert sample.resizes == (("ig-ABCDEFGHIJKL", 12),)
    assert (sample.identity.who, sample.identity.role_name) == ("anna (DataPlatformOps)", "DataPlatformOps")
    assert not sample.has_failed


@pytest.mark.parametrize(
    ("identity", "who", "role"),
    [
        ({"type": "IAMUser", "userName": "bob", "arn": "arn:aws:iam::1:user/bob"}, "bob", ""),
        ({"type": "Root", "arn": "arn:aws:iam::123456789012:root"}, "Root", ""),
        (
            {"type": "AWSService", "invokedBy": "elasticmapreduce.amazonaws.com"},
            "elasticmapreduce.amazonaws.com",
            "",
        ),
        (
            {
                "arn": "arn:aws:sts::1:assumed-role/EMR_AutoScaling_DefaultRole/AutoScaling",
                "invokedBy": "application-autoscaling.amazonaws.com",
                "sessionContext": {"sessionIssuer": {"userName": "EMR_AutoScaling_DefaultRole"}},
            },
            "AutoScaling (EMR_AutoScaling_DefaultRole) through application-autoscaling.amazonaws.com",
            "EMR_AutoScaling_DefaultRole",
        ),
        ({"userName": "bob", "arn": None, "sessionContext": None, "invokedBy": None}, "bob", ""),
        ({"userName": "bob", "sessionContext": {"sessionIssuer": None, "attributes": {}}}, "bob", ""),
        ({}, "somebody", ""),
    ],
)
def test_callers_are_named_as_people_know_them(identity: dict[str, Any], who: str, role: str) -> None:
    read = call(userIdentity=identity).identity
    assert (read.who, read.role_name) == (who, role)


@pytest.mark.parametrize(
    ("parameters", "clusters"),
    [
        ({"clusterId": "j-1"}, ("j-1",)),
        ({"jobFlowId": "j-1"}, ("j-1",)),
        ({"jobFlowIds": ["j-1", "j-2", "j-1"]}, ("j-1", "j-2")),
        ({"resourceId": "j-1"}, ("j-1",)),
        ({"resourceId": "es-STUDIO"}, ()),
        ({"clusterId": None, "jobFlowIds": "j-1"}, ()),
    ],
)
def test_clusters_are_found_wherever_a_call_names_them(parameters: dict[str, Any], clusters: tuple[str]) -> None:
    assert request(**parameters).cluster_ids == clusters


@pytest.mark.parametrize(
    ("parameters", "resizes"),
    [
        ({"instanceGroups": [{"instanceGroupId": "ig-1", "instanceCount": 0}]}, (("ig-1", 0),)),
        (
            {"instanceGroups": [{"instanceGroupId": "ig-1", "eC2InstanceIdsToTerminate": ["i-1"]}]},
            (("ig-1", None),),
        ),
        ({"instanceGroups": [{"instanceRole": "TASK", "instanceCount": 3}]}, (("", 3),)),
        ({"instanceGroups": [{"instanceRole": "TASK", "instanceCount": 0}]}, ()),
        (
            {"instanceFleet": {"instanceFleetId": "if-1", "targetOnDemandCapacity": 1, "targetSpotCapacity": 4}},
            (("if-1", 5),),
        ),
        ({"instanceFleet": {"instanceFleetId": "if-1"}}, (("if-1", None),)),
        (
            {"instanceFleet": {"instanceFleetId": "if-1", "targetOnDemandCapacity": 0, "targetSpotCapacity": 0}},
            (("if-1", 0),),
        ),
        ({"instanceGroups": "none", "instanceFleet": []}, ()),
    ],
)
def test_what_is_ordered_is_read_from_groups_and_fleets(parameters: dict[str, Any], resizes: tuple[Any]) -> None:
    assert request(**parameters).resizes == resizes


def test_a_refused_call_and_one_without_parameters_change_nothing() -> None:
    refused = call(errorCode="ValidationException", requestParameters=None)
    assert refused.has_failed
    assert (refused.cluster_ids, refused.resizes, refused.touches_own_tags) == ((), (), False)


@pytest.mark.parametrize(
    ("parameters", "ours"),
    [
        ({"tags": [{"key": "emr-autoscaler:paused", "value": "true"}]}, True),
        ({"tagKeys": ["emr-autoscaler:policy"]}, True),
        ({"tags": [{"key": "owner", "value": "x"}], "tagKeys": ["team"]}, False),
    ],
)
def test_tags_of_this_system_are_told_from_others(parameters: dict[str, Any], ours: bool) -> None:
    assert request(**parameters).touches_own_tags is ours


@pytest.mark.parametrize(
    ("state", "attached"),
    [("PENDING", True), ("ATTACHING", True), ("ATTACHED", True), ("DETACHING", False), ("DETACHED", False)],
)
def test_an_automatic_scaling_policy_counts_from_the_moment_it_is_asked_for(state: str, attached: bool) -> None:
    raw = load("emr-auto-scaling-policy")
    raw["detail"]["state"] = state
    found = read_event(raw)
    assert found is not None
    assert isinstance(found.detail, AutoScalingPolicyChange)
    assert found.detail.is_attached is attached
