"""A recording: samples of a cluster's metrics and what its groups or fleets are; files are read in reading.py."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.fleets import FleetType, InstanceFleet
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.ports import MetricsReader
from emr_simulator.errors import RecordingError

FORMAT = "emr-autoscaler recording 1"
TIME = "time"

NEEDED = (
    MetricName.MEMORY_TOTAL_MIB,
    MetricName.MEMORY_ALLOCATED_MIB,
    MetricName.CONTAINER_ALLOCATED,
    MetricName.CONTAINER_PENDING,
    MetricName.CORE_NODES_RUNNING,
    MetricName.TASK_NODES_RUNNING,
)
"""The columns of a recording; others of the namespace may stand beside them and are not used."""

TOLD = (MetricName.APPS_SUBMITTED, MetricName.APPS_RUNNING, MetricName.APPS_PENDING)
"""Columns that are used where they are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedGroup:
    """One instance group of the cluster; its size over time is in the metrics."""

    role: Role
    market: Market
    instance_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFleet:
    """One instance fleet of the cluster; its size over time is in the metrics.

    Attributes:
        types: What it buys, and what an instance of each counts.
        on_demand_units: On-demand units it is asked for: with the next, it tells the markets apart.
        spot_units: Spot units it is asked for.
    """

    role: Role
    types: tuple[FleetType, ...]
    on_demand_units: int = 0
    spot_units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was published of one moment.

    Attributes:
        at: When the sample was taken, UTC.
        values: By metric; one that was not published is absent.
    """

    at: datetime
    values: Mapping[MetricName, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Recorded metrics of one cluster.

    Attributes:
        source: The file or the cluster, for messages.
        cluster_id: j-...; may be a name of the user's own.
        period: Spacing of the samples.
        groups: Core and task groups; the primary is not in the metrics.
        fleets: Core and task fleet, where the cluster has fleets; then there are no groups.
        samples: Oldest first; at multiples of the period from the first, some may be absent.
    """

    source: str
    cluster_id: str
    period: timedelta
    groups: tuple[RecordedGroup, ...]
    fleets: tuple[RecordedFleet, ...] = ()
    samples: tuple[Sample, ...]

    def of_role(self, role: Role) -> tuple[RecordedGroup, ...]:
        """Return the groups of one role."""
        return tuple(group for group in self.groups if group.role is role)

    @property
    def task_fleet(self) -> RecordedFleet | None:
        """The task fleet, where there is one."""
        return next((fleet for fleet in self.fleets if fleet.role is Role.TASK), None)

    @property
    def has_task_capacity(self) -> bool:
        """Whether there is a task group or a task fleet."""
        return bool(self.of_role(Role.TASK)) or self.task_fleet is not None

    @property
    def core_types(self) -> tuple[str, ...]:
        """Instance types of the core nodes, as far as metrics tell any of them."""
        of_fleets = [kind.instance_type for f in self.fleets if f.role is Role.CORE for kind in f.types]
        return (*(group.instance_type for group in self.of_role(Role.CORE)), *of_fleets)

    @property
    def types(self) -> set[str]:
        """Every instance type of the cluster."""
        return {g.instance_type for g in self.groups} | {k.instance_type for f in self.fleets for k in f.types}

    def to_json(self) -> dict[str, Any]:
        """Return the document that reading.py reads."""
        groups = [
            {"role": g.role.value, "market": g.market.value, "instance_type": g.instance_type} for g in self.groups
        ]
        fleets = [
            {
                "role": fleet.role.value,
                "types": {kind.instance_type: kind.units for kind in fleet.types},
                "on_demand_units": fleet.on_demand_units,
                "spot_units": fleet.spot_units,
            }
            for fleet in self.fleets
        ]
        columns = (*NEEDED, *(name for name in TOLD if any(name in sample.values for sample in self.samples)))
        return {
            "format": FORMAT,
            "cluster_id": self.cluster_id,
            **({"fleets": fleets} if fleets else {"groups": groups}),
            "columns": [TIME, *(name.value for name in columns)],
            "rows": [
                [iso(sample.at), *(_shortest(sample.values.get(name)) for name in columns)]
                for sample in self.samples
            ],
        }

    def to_text(self) -> str:
        """Return the JSON document as text, one row a line."""
        document = self.to_json()
        rows = ",\n".join(f"    {json.dumps(row)}" for row in document.pop("rows"))
        head = json.dumps(document, indent=2).removesuffix("\n}")
        return f'{head},\n  "rows": [\n{rows}\n  ]\n}}\n'


def record(
    reader: MetricsReader,
    cluster_id: str,
    groups: Sequence[InstanceGroup],
    fleets: Sequence[InstanceFleet] = (),
    *,
    start: datetime,
    end: datetime,
) -> Recording:
    """Read the metrics of a cluster in [start, end).

    Raises:
        RecordingError: Too few were published to say anything.
    """
    metrics = reader.read_metrics([cluster_id], (*NEEDED, *TOLD), start=start, end=end)[cluster_id]
    by_time: dict[datetime, dict[MetricName, float]] = {}
    for name, points in metrics.series.items():
        for point in points:
            by_time.setdefault(point.at, {})[name] = point.value
    samples = tuple(Sample(at=at, values=values) for at, values in sorted(by_time.items()))
    if len(samples) < 2:  # noqa: PLR2004 (an interval has two ends)
        problem = (
            f"{len(samples)} samples were published between {iso(start)} and {iso(end)}, at least 2 are needed"
        )
        raise RecordingError(path=cluster_id, problem=problem)
    known = {(g.role, g.market, g.instance_type) for g in groups if g.role is not Role.MASTER}
    return Recording(
        source=cluster_id,
        cluster_id=cluster_id,
        period=metrics.period,
        groups=tuple(
            RecordedGroup(role=role, market=market, instance_type=instance_type)
            for role, market, instance_type in sorted(known)
        ),
        fleets=tuple(
            RecordedFleet(
                role=fleet.role,
                types=tuple(replace(kind, volumes=()) for kind in fleet.types),
                on_demand_units=fleet.target_on_demand_units,
                spot_units=fleet.target_spot_units,
            )
            for fleet in sorted(fleets, key=lambda fleet: fleet.role)
            if fleet.role is not Role.MASTER and fleet.types
        ),
        samples=samples,
    )


def iso(at: datetime) -> str:
    """Return a time as documents hold it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _shortest(value: float | None) -> float | int | None:
    return int(value) if value is not None and value == int(value) else value
