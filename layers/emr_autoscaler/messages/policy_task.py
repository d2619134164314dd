"""The task section of a policy document: how task capacity follows demand, with its schedules.

Where capacity stands is in policy_placement.py. Defaults are those of domain/policy.py, so that a document only
says what it wants otherwise.
"""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from emr_autoscaler.domain.policy import Objective, ScheduledMinimum, TaskPolicy
from emr_autoscaler.messages.policy_base import (
    MAX_NODES,
    InstanceType,
    Money,
    Nodes,
    Section,
    build,
    in_minutes,
    refuse,
)
from emr_autoscaler.messages.policy_placement import BoundsDocument, PoolsDocument

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TASK = TaskPolicy()

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Weight = Annotated[int, Field(ge=1, le=999)]


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
    objective: Annotated[
        Objective, Field(description="Which end of the curve of cost against waiting is wanted.")
    ] = _TASK.objective
    drain_within_minutes: Annotated[
        Annotated[float, Field(ge=0.5, le=240)] | None,
        Field(
            description="A point of one's own on the curve: waiting work may take this long; not with `objective`."
        ),
    ] = None
    expected_task_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=86_400,
            description="How long one container typically runs, until a probe or a backlog shows it; "
            "without a probe never taken to be less.",
        ),
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
    ] = in_minutes(_TASK.scale_out_cooldown)
    scale_in_cooldown_minutes: Annotated[
        float, Field(ge=0, le=1440, description="Least time between any resize and the next scale-in.")
    ] = in_minutes(_TASK.scale_in_cooldown)
    decommission_timeout_minutes: Annotated[
        float,
        Field(
            ge=1,
            le=1440,
            description="How long a leaving node may drain; longer where containers were seen to run for longer.",
        ),
    ] = in_minutes(_TASK.decommission_timeout)
    metrics_max_age_minutes: Annotated[
        float, Field(ge=1, le=60, description="Older samples count as missing.")
    ] = in_minutes(_TASK.metrics_max_age)
    on_demand_min_nodes: Annotated[Nodes, Field(description="Task nodes that are always bought on demand.")] = (
        _TASK.on_demand_min_nodes
    )
    fallback_after_minutes: Annotated[
        float,
        Field(ge=0, le=1440, description="How long spot may stay unfulfilled before on-demand is ordered."),
    ] = in_minutes(_TASK.fallback_after)
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
    ] = in_minutes(_TASK.operator_hold)
    trust_yarn: Annotated[
        bool,
        Field(description="True gives nodes back although Presto, Trino or HBase work on them, unseen by YARN."),
    ] = _TASK.trust_yarn

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
        refuse(
            self.drain_within_minutes is not None and "objective" in self.model_fields_set,
            "objective and drain_within_minutes set the same knob; keep one of the two",
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
        return build(
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


def _minute_of_day(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)
