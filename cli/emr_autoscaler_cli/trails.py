"""CloudTrail's trails, as far as they decide whether operators' calls reach EventBridge; judged in doctor.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.domain.errors import AutoscalerError

if TYPE_CHECKING:
    import boto3

TRAIL_ACTIONS = ("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors")
"""What looking at trails needs; doctor goes on without."""

EMR_SOURCE = "elasticmapreduce.amazonaws.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A trail that covers the region.

    Attributes:
        name: As its owner called it.
        is_logging: Whether it is switched on.
        records_calls: Whether it records management events that change something, EMR's among them.
        unreadable: Why neither is known; empty where both are.
    """

    name: str
    is_logging: bool = False
    records_calls: bool = False
    unreadable: str = ""

    @property
    def delivers(self) -> bool:
        """Whether calls to EMR reach EventBridge through this trail."""
        return self.is_logging and self.records_calls and not self.unreadable


def read_trails(session: "boto3.Session") -> tuple[Trail, ...]:
    """Return the trails that cover the session's region: its own, those of all regions, the organisation's.

    Raises:
        RefusedError: The trails may not be listed.
        UnavailableError: CloudTrail does not answer.
    """
    with domain_errors():
        described = session.client("cloudtrail").describe_trails(includeShadowTrails=True)["trailList"]
    return tuple(_read(session, trail) for trail in described)


def _read(session: "boto3.Session", trail: Mapping[str, Any]) -> Trail:
    """Read one trail in its home region: another region shows only its shadow."""
    client = session.client("cloudtrail", region_name=trail.get("HomeRegion"))
    name = trail["Name"]
    try:
        with domain_errors():
            status = client.get_trail_status(Name=trail["TrailARN"])
            selectors = client.get_event_selectors(TrailName=trail["TrailARN"])
    except AutoscalerError as error:
        # An organisation's trail may be closed to its members: the others are judged all the same.
        return Trail(name=name, unreadable=str(error))
    basic, advanced = selectors.get("EventSelectors", ()), selectors.get("AdvancedEventSelectors", ())
    return Trail(
        name=name,
        is_logging=status["IsLogging"],
        records_calls=any(map(_is_basic_of_writes, basic)) or any(map(_is_advanced_of_writes, advanced)),
    )


def _is_basic_of_writes(selector: Mapping[str, Any]) -> bool:
    return (
        selector.get("IncludeManagementEvents", True)
        and selector.get("ReadWriteType", "All") != "ReadOnly"
        and EMR_SOURCE not in selector.get("ExcludeManagementEventSources", ())
    )


def _is_advanced_of_writes(selector: Mapping[str, Any]) -> bool:
    fields = {field["Field"]: field for field in selector["FieldSelectors"]}
    return (
        _admits(fields.get("eventCategory"), "Management")
        and _admits(fields.get("readOnly"), "false")
        and _admits(fields.get("eventSource"), EMR_SOURCE)
    )


def _admits(field: Mapping[str, Sequence[str]] | None, value: str) -> bool:
    """Return whether a field selector lets a value through: every operator it has must."""
    if field is None:
        return True
    listed = {name: tuple(values) for name, values in field.items() if name != "Field" and values}
    judged = {
        "Equals": value in listed.get("Equals", ()),
        "NotEquals": value not in listed.get("NotEquals", ()),
        "StartsWith": value.startswith(listed.get("StartsWith", ())),
        "NotStartsWith": not value.startswith(listed.get("NotStartsWith", ())),
        "EndsWith": value.endswith(listed.get("EndsWith", ())),
        "NotEndsWith": not value.endswith(listed.get("NotEndsWith", ())),
    }
    return all(judged[operator] for operator in listed)
