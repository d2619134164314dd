"""The sections of a policy document: their fields, bounds and meaning; reading a document lives in policy.py.

The fields are those of domain/policy.py, durations in minutes. Defaults come from there as well, so
that a document only says what it wants otherwise.
"""

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, field_validator, model_validator

from emr_autoscaler.domain.policy import (
    CorePolicy,
    CostPolicy,
    IdlePolicy,
    Objective,
    ScheduledMinimum,
    TaskPolicy,
)
from emr_autoscaler.messages.policy_placement import (
    MAX_NODES,
    BoundsDocument,
    InstanceType,
    Money,
    PoolsDocument,
    Section,
    refuse,
)

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES = "_minutes"
_TASK = TaskPolicy()
_CORE = CorePolicy()
_IDLE = IdlePolicy()
_COST = CostPolicy()

Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
Nodes = Annotated[int, Field(ge=0, le=MAX_NODES)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Weight = Annotated[int, Field(ge=1, le=999)]
S = TypeVar("S")


def _minutes(duration: timedelta) -> float:
    return duration / timedelta(minutes=1)


class ScheduleDocument(Section):
    """A weekly window in which a minimum of task nodes stands ready, in local time."""

    days: Annotated[list[Weekday], Field(min_length=1, description="Days of the week.")]
    start: Annotated[
        str,
        Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Opens at, HH:MM local time."),
    ]
    end: Annotated[
        str,
        Field(
            alias="to",
            pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$",
            description="Closes at, HH:MM local time, later than `from`; 24:00 is the end of the day.",
        ),
    ]
    time_zone: Annotated[str, Field(description="IANA name, for instance Europe/Berlin.")]
    min_nodes: Annotated[Nodes, Field(description="Task nodes wanted at least while the window is open.")]

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            msg = f"{name!r} is not an IANA time zone; write one like Europe/Berlin or UTC"
            raise ValueError(msg) from error
        return name

    @model_validator(mode="after")
    def _closes_after_it_opens(self) -> "ScheduleDocument":
        if _minute_of_day(self.end) <= _minute_of_day(self.start):
            msg = "`to` must be later than `from`; split a window over midnight at 24:00 and 00:00"
            raise ValueError(msg)
        return self

    def to_domain(self) -> ScheduledMinimum:
        """Return the window."""
        return ScheduledMinimum(
            weekdays=frozenset(_WEEKDAYS.index(day) for day in self.days),
            start_minute=_minute_of_day(self.start),
            end_minute=_minute_of_day(self.end),
            time_zone=self.time_zone,
            min_nodes=self.min_nodes,
        )


class TaskDocument(Section):
    """How task capacity follows demand."""

    enabled: Annotated[bool, Field(description="False leaves task groups alone.")] = _TASK.enabled
    min_nodes: Annotated[Nodes, Field(description="Never fewer task nodes than this, over all task groups.")] = (
        _TASK.min_nodes
    )
    max_nodes: Annotated[Nodes, Field(description="Never more task nodes than this, over all task groups.")] = (
        _TASK.max_nodes
    )
    objective: Annotated[Objective, Field(description="Which end of the cost-against-waiting curve.")] = (
        _TASK.objective
    )
    expected_task_seconds: Annotated[
        int, Field(ge=1, le=86_400, description="How long one container typically runs, until a probe shows it.")
    ] = _TASK.expected_task_seconds
    headroom_percent: Annotated[
        float, Field(ge=0, le=500, description="Memory kept free, as a percentage of the memory in use.")
    ] = _TASK.headroom_percent
    max_step_nodes: Annotated[
        Annotated[int, Field(ge=1, le=MAX_NODES)] | None,
        Field(description="Never more nodes than this in one order; null for no limit."),
    ] = _TASK.max_step_nodes
    scale_out_cooldown_minutes: Annotated[
        float, Field(ge=0, le=1440, description="Least time between any resize and the next scale-out.")
    ] = _minutes(_TASK.scale_out_cooldown)
    scale_in_cooldown_minutes: Annotated[
        float, Field(ge=0, le=1440, description="Least time between any resize and the next scale-in.")
    ] = _minutes(_TASK.scale_in_cooldown)
    decommission_timeout_minutes: Annotated[
        float, Field(ge=1, le=1440, description="How long a leaving node may drain.")
    ] = _minutes(_TASK.decommission_timeout)
    metrics_max_age_minutes: Annotated[
        float, Field(ge=1, le=60, description="Older samples count as missing.")
    ] = _minutes(_TASK.metrics_max_age)
    on_demand_min_nodes: Annotated[Nodes, Field(description="Task nodes that are always bought on demand.")] = (
        _TASK.on_demand_min_nodes
    )
    fallback_after_minutes: Annotated[
        float,
        Field(ge=0, le=1440, description="How long spot may stay unfulfilled before on-demand is ordered."),
    ] = _minutes(_TASK.fallback_after)
    bounds: Annotated[
        BoundsDocument | None,
        Field(description="Bounds in a unit of their own; with instances in place of min_nodes and max_nodes."),
    ] = None
    weights: Annotated[
        dict[InstanceType, Weight],
        Field(max_length=48, description="Units of one node by type, for bounds in units; others weigh 1."),
    ] = {}  # noqa: RUF012  pydantic copies defaults
    max_usd_per_hour: Annotated[
        Money | None,
        Field(description="Task nodes never cost more than this at current prices; null for no cap."),
    ] = _TASK.max_usd_per_hour
    on_demand_max_nodes: Annotated[
        Nodes | None, Field(description="Never more on-demand task nodes than this; null for no such bound.")
    ] = _TASK.on_demand_max_nodes
    spot_share: Annotated[
        float,
        Field(ge=0, le=1, description="Part (0-1) of the capacity above the on-demand floor bought on spot."),
    ] = _TASK.spot_share
    pools: Annotated[
        PoolsDocument | None,
        Field(description="Task groups to create at enrolment; null for instance_types alone."),
    ] = None
    schedules: Annotated[
        list[ScheduleDocument], Field(max_length=50, description="Windows with a minimum of their own.")
    ] = []  # noqa: RUF012  pydantic copies defaults
    instance_types: Annotated[
        list[InstanceType],
        Field(max_length=20, description="Spot pools to create at enrolment, one task group each."),
    ] = []  # noqa: RUF012  pydantic copies defaults
    operator_hold_minutes: Annotated[
        float, Field(ge=0, le=1440, description="How long a count that somebody else ordered stands.")
    ] = _minutes(_TASK.operator_hold)

    @model_validator(mode="after")
    def _bounds_can_be_kept(self) -> "TaskDocument":
        most = self._bounds().get("max_nodes", self.max_nodes)
        refuse(self.min_nodes > most, "min_nodes is above max_nodes; lower it or raise max_nodes")
        refuse(
            self.on_demand_min_nodes > most,
            "on_demand_min_nodes is above max_nodes; lower it or raise max_nodes",
        )
        refuse(
            any(schedule.min_nodes > most for schedule in self.schedules),
            "schedules: a min_nodes is above max_nodes; lower it or raise max_nodes",
        )
        refuse(
            len(set(self.instance_types)) != len(self.instance_types),
            "instance_types names a type twice; each has one task group",
        )
        refuse(
            bool(self.instance_types) and self.pools is not None,
            "instance_types and pools say the same; keep pools",
        )
        refuse(
            self.on_demand_max_nodes is not None and self.on_demand_max_nodes < self.on_demand_min_nodes,
            "on_demand_min_nodes is above on_demand_max_nodes; lower it or raise on_demand_max_nodes",
        )
        if self.bounds is not None and self.bounds.capacity_unit is None:
            refuse(
                bool({"min_nodes", "max_nodes"} & self.model_fields_set),
                "bounds in instances take the place of min_nodes and max_nodes; keep one of the two",
            )
        return self

    def to_domain(self) -> TaskPolicy:
        """Return the section."""
        pools = self.pools or PoolsDocument(instance_types=self.instance_types)
        return _to_domain(
            self,
            TaskPolicy,
            schedules=tuple(schedule.to_domain() for schedule in self.schedules),
            instance_types=tuple(pools.instance_types),
            profile=pools.profile,
            on_demand_type=pools.on_demand_type or "",
            **self._bounds(),
        )

    def _bounds(self) -> dict[str, Any]:
        """Return the bounds as the domain has them: by number, and in a unit."""
        unbounded = {"unit": _TASK.unit, "min_units": 0, "max_units": None}
        if self.bounds is None:
            return unbounded
        unit = self.bounds.capacity_unit
        if unit is None:
            return {**unbounded, "min_nodes": self.bounds.minimum, "max_nodes": self.bounds.maximum}
        # Only a number that is written down bounds the nodes beside the units.
        most = self.max_nodes if "max_nodes" in self.model_fields_set else MAX_NODES
        return {
            "unit": unit,
            "min_units": self.bounds.minimum,
            "max_units": self.bounds.maximum,
            "max_nodes": most,
        }


class CoreDocument(Section):
    """How core capacity follows HDFS; fractions are 0-1 of HDFS capacity."""

    enabled: Annotated[bool, Field(description="False leaves core groups alone.")] = _CORE.enabled
    min_nodes: Annotated[int, Field(ge=1, le=MAX_NODES, description="Never fewer core nodes than this.")] = (
        _CORE.min_nodes
    )
    max_nodes: Annotated[int, Field(ge=1, le=MAX_NODES, description="Never more core nodes than this.")] = (
        _CORE.max_nodes
    )
    hdfs_high: Annotated[float, Field(gt=0, lt=1, description="Above this fraction, core nodes are added.")] = (
        _CORE.hdfs_high
    )
    hdfs_target: Annotated[
        float, Field(gt=0, lt=1, description="Where adding aims, and what a shrink must stay below.")
    ] = _CORE.hdfs_target
    hdfs_low: Annotated[float, Field(gt=0, lt=1, description="Below this fraction, one core node may go.")] = (
        _CORE.hdfs_low
    )
    cooldown_minutes: Annotated[
        float, Field(ge=0, le=1440, description="Least time between two core resizes.")
    ] = _minutes(_CORE.cooldown)
    decommission_timeout_minutes: Annotated[
        float, Field(ge=1, le=1440, description="How long a leaving node may copy its blocks away.")
    ] = _minutes(_CORE.decommission_timeout)
    metrics_max_age_minutes: Annotated[
        float, Field(ge=1, le=60, description="Older samples count as missing.")
    ] = _minutes(_CORE.metrics_max_age)
    min_age_minutes: Annotated[
        float, Field(ge=0, le=10_080, description="A younger cluster keeps its core nodes.")
    ] = _minutes(_CORE.min_age)
    yarn_free_percent: Annotated[
        float, Field(ge=0, le=100, description="Least free YARN memory for a core node to go.")
    ] = _CORE.yarn_free_percent
    operator_hold_minutes: Annotated[
        float, Field(ge=0, le=1440, description="How long a count that somebody else ordered stands.")
    ] = _minutes(_CORE.operator_hold)

    @model_validator(mode="after")
    def _bounds_and_marks_agree(self) -> "CoreDocument":
        refuse(self.min_nodes > self.max_nodes, "min_nodes is above max_nodes; lower it or raise max_nodes")
        refuse(
            not self.hdfs_low < self.hdfs_target < self.hdfs_high,
            "hdfs_low, hdfs_target and hdfs_high must rise in this order",
        )
        return self

    def to_domain(self) -> CorePolicy:
        """Return the section."""
        return _to_domain(self, CorePolicy)


class IdleDocument(Section):
    """When an idle or overdue cluster is ended."""

    enabled: Annotated[bool, Field(description="False never reaps.")] = _IDLE.enabled
    idle_for_minutes: Annotated[
        float, Field(ge=10, le=10_080, description="How long it must have been idle, without a gap.")
    ] = _minutes(_IDLE.idle_for)
    min_age_minutes: Annotated[float, Field(ge=10, le=10_080, description="Younger clusters are left alone.")] = (
        _minutes(_IDLE.min_age)
    )
    warning_period_minutes: Annotated[
        float, Field(ge=0, le=1440, description="Time between announcement and termination.")
    ] = _minutes(_IDLE.warning_period)
    max_lifetime_minutes: Annotated[
        Annotated[float, Field(ge=60, le=525_600)] | None,
        Field(description="Older clusters are announced and ended once no work runs; null for no limit."),
    ] = None if _IDLE.max_lifetime is None else _minutes(_IDLE.max_lifetime)
    trust_isidle: Annotated[
        bool, Field(description="True reaps clusters with applications whose work YARN does not see.")
    ] = _IDLE.trust_isidle

    def to_domain(self) -> IdlePolicy:
        """Return the section."""
        return _to_domain(self, IdlePolicy)


class CostDocument(Section):
    """Assumptions of the cost records that AWS does not state."""

    first_hour_fee: Annotated[
        bool,
        Field(
            description="Whether the EMR fee is charged for a spot instance that AWS interrupts in its first hour."
        ),
    ] = _COST.first_hour_fee
    emr_discount_percent: Annotated[Percent, Field(description="Negotiated discount on the EMR fee.")] = (
        _COST.emr_discount_percent
    )
    ec2_discount_percent: Annotated[Percent, Field(description="Negotiated discount on EC2 on demand.")] = (
        _COST.ec2_discount_percent
    )
    ebs_discount_percent: Annotated[Percent, Field(description="Negotiated discount on EBS.")] = (
        _COST.ebs_discount_percent
    )
    ec2_covered_percent: Annotated[
        Percent,
        Field(description="Part of EC2 on-demand use that a savings plan or reservation covers: an estimate."),
    ] = _COST.ec2_covered_percent
    ec2_covered_discount_percent: Annotated[
        Percent, Field(description="What covered use costs less than list.")
    ] = _COST.ec2_covered_discount_percent

    def to_domain(self) -> CostPolicy:
        """Return the section."""
        return _to_domain(self, CostPolicy)


def _minute_of_day(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _to_domain(section: BaseModel, kind: type[S], **given: Any) -> S:  # noqa: ANN401  any field
    """Build a domain section from the fields of the same names, minutes turned into durations."""
    values = dict(given)
    for name in (field.name for field in fields(kind)):  # type: ignore[arg-type]  # S is a dataclass
        if name in values:
            continue
        if name in type(section).model_fields:
            values[name] = getattr(section, name)
        else:
            minutes = getattr(section, f"{name}{_MINUTES}")
            values[name] = None if minutes is None else timedelta(minutes=minutes)
    return kind(**values)
