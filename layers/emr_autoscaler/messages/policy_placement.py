"""The parts of a policy's task section that say where capacity stands and what bounds it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from emr_autoscaler.domain.policy import CapacityUnit, WorkloadProfile
from emr_autoscaler.messages.policy_base import MAX_NODES, InstanceType, Section, refuse

MAX_UNITS = 1_000_000_000
"""A cluster of the largest nodes EMR has, in MiB."""


class BoundsUnit(StrEnum):
    """What ``min`` and ``max`` count."""

    INSTANCES = "instances"
    YARN_MIB = "yarn_mib"
    UNITS = "units"


class BoundsDocument(Section):
    """The least and the most task capacity, in a unit that fits pools of different sizes."""

    unit: Annotated[
        BoundsUnit,
        Field(description="instances, yarn_mib (YARN memory of the nodes), or units (each type's weight)."),
    ]
    minimum: Annotated[int, Field(alias="min", ge=0, le=MAX_UNITS, description="Never less than this.")] = 0
    maximum: Annotated[int, Field(alias="max", ge=0, le=MAX_UNITS, description="Never more than this.")]

    @model_validator(mode="after")
    def _can_be_kept(self) -> "BoundsDocument":
        refuse(self.minimum > self.maximum, "min is above max; lower it or raise max")
        refuse(
            self.unit is BoundsUnit.INSTANCES and self.maximum > MAX_NODES,
            f"max is above {MAX_NODES} instances",
        )
        return self

    @property
    def capacity_unit(self) -> CapacityUnit | None:
        """The domain's unit; None for instances, which are bounded by number."""
        return None if self.unit is BoundsUnit.INSTANCES else CapacityUnit(self.unit)


class PoolsDocument(Section):
    """The task groups to create at enrolment: spot pools at zero nodes, and an on-demand fallback."""

    instance_types: Annotated[
        list[InstanceType], Field(max_length=20, description="Spot pools, one task group each.")
    ] = []  # noqa: RUF012  pydantic copies defaults
    profile: Annotated[
        WorkloadProfile | None,
        Field(description="What the work is made of, in place of instance_types."),
    ] = None
    on_demand_type: Annotated[
        InstanceType | None,
        Field(description="Type of the on-demand group; null for the first spot type."),
    ] = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> "PoolsDocument":
        refuse(
            bool(self.instance_types) and self.profile is not None,
            "instance_types and profile exclude each other; keep one",
        )
        refuse(
            len(set(self.instance_types)) != len(self.instance_types),
            "instance_types names a type twice; each has one task group",
        )
        return self
