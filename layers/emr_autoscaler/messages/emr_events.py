"""Events of Amazon EMR: clusters, instance groups and fleets, capacity that could not be had."""

from dataclasses import replace
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from emr_autoscaler.domain.cluster import ClusterState, GroupState, InstanceGroup, Market, Role
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.step_queue import StepState
from emr_autoscaler.messages.envelope import ClusterId, Detail, Word

INSUFFICIENT_CAPACITY = "insufficient instance capacity"
"""Part of the eventCode that says a pool is dry; EMR's own spelling varies in case."""

SPOT_QUOTA_WORDS = ("maxspotinstancecountexceeded", "max spot instance count", "spot instance limit")
"""Parts of an eventCode or message that say the account may have no more spot instances, in any pool."""

SPOT_TIMEOUT = "spot provisioning timeout"
"""Part of the eventCode of a fleet's resize that stopped with spot units missing."""


class ClusterStateChange(Detail):
    """EMR Cluster State Change."""

    cluster_id: ClusterId = Field(alias="clusterId")
    state: ClusterState


class InstanceGroupStateChange(Detail):
    """EMR Instance Group State Change; EMR sends its counts as strings."""

    cluster_id: ClusterId = Field(alias="clusterId")
    group_id: Word = Field(alias="instanceGroupId")
    role: Role = Field(alias="instanceGroupType")
    market: Market
    instance_type: Word = Field(alias="instanceType")
    requested_count: int = Field(alias="requestedInstanceCount", ge=0)
    running_count: int = Field(alias="runningInstanceCount", ge=0)
    state: GroupState

    def to_group(self) -> InstanceGroup:
        """Return the group as the domain knows it; what the event does not tell is left at defaults."""
        return InstanceGroup(
            group_id=self.group_id,
            role=self.role,
            market=self.market,
            instance_type=self.instance_type,
            requested_count=self.requested_count,
            running_count=self.running_count,
            state=self.state,
        )


class InstanceFleetStateChange(Detail):
    """EMR Instance Fleet State Change; its capacities are numbers in EventBridge's schema registry.

    EMR's guide calls a fleet at rest WAITING where ListInstanceFleets says RUNNING.
    """

    cluster_id: ClusterId = Field(alias="clusterId")
    fleet_id: Word = Field(alias="instanceFleetId")
    role: Role = Field(alias="instanceFleetType")
    state: Annotated[GroupState, BeforeValidator(lambda state: "RUNNING" if state == "WAITING" else state)]
    target_on_demand_units: int | None = Field(default=None, alias="targetOnDemandCapacity", ge=0)
    target_spot_units: int | None = Field(default=None, alias="targetSpotCapacity", ge=0)
    provisioned_on_demand_units: int | None = Field(default=None, alias="provisionedOnDemandCapacity", ge=0)
    provisioned_spot_units: int | None = Field(default=None, alias="provisionedSpotCapacity", ge=0)

    def apply_to(self, fleet: InstanceFleet) -> InstanceFleet:
        """Return the fleet as it is now; what the event does not tell stays."""
        told = {
            name: units
            for name in (
                "target_on_demand_units",
                "target_spot_units",
                "provisioned_on_demand_units",
                "provisioned_spot_units",
            )
            if (units := getattr(self, name)) is not None
        }
        return replace(fleet, state=self.state, **told)


class _Capacity(Detail):
    """What EMR tells of provisioning and resizes; little of it is documented."""

    cluster_id: ClusterId = Field(alias="clusterId")
    event_code: Annotated[str, StringConstraints(to_lower=True)] = Field(alias="eventCode")
    message: Annotated[str, StringConstraints(to_lower=True)] = ""

    @property
    def is_spot_quota(self) -> bool:
        """Whether the account's quota of spot instances is used up."""
        return any(words in text for words in SPOT_QUOTA_WORDS for text in (self.event_code, self.message))

    @property
    def is_insufficient_capacity(self) -> bool:
        """Whether EMR could not buy what was asked for."""
        return INSUFFICIENT_CAPACITY in self.event_code


class InstanceGroupCapacity(_Capacity):
    """EMR Instance Group Provisioning and EMR Instance Group Resize."""

    group_id: str | None = Field(default=None, alias="instanceGroupId")


class InstanceFleetCapacity(_Capacity):
    """EMR Instance Fleet Provisioning and EMR Instance Fleet Resize."""

    fleet_id: str | None = Field(default=None, alias="instanceFleetId")

    @property
    def is_insufficient_capacity(self) -> bool:
        """Whether EMR could not buy what was asked for, from any type, or gave spot up."""
        return INSUFFICIENT_CAPACITY in self.event_code or SPOT_TIMEOUT in self.event_code


class StepStatusChange(Detail):
    """EMR Step Status Change."""

    cluster_id: ClusterId = Field(alias="clusterId")
    step_id: Word = Field(alias="stepId")
    state: StepState
