"""What a scheduler did with a slice of work, in the same terms for both; comparing is for comparison.py.

Times are seconds from the first second of the slice. The metrics carry CloudWatch's names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

METRICS = (
    "MemoryAllocatedMB",
    "MemoryTotalMB",
    "ContainerAllocated",
    "ContainerPending",
    "AppsPending",
    "AppsRunning",
    "MRActiveNodes",
)
"""The metrics of AWS/ElasticMapReduce that are compared; all are read from YARN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTimes:
    """One job: when it was submitted, first got a container, and ended; container-seconds lost with nodes."""

    submitted: float
    started: float
    ended: float
    lost_seconds: float

    @property
    def response(self) -> float:
        """Seconds from submission to the end."""
        return self.ended - self.submitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """One graceful decommission that was carried through.

    Attributes:
        asked: When the node was asked to leave.
        empty: When its last container had ended.
        left: When it was decommissioned.
        forced: The timeout took it.
    """

    asked: float
    empty: float
    left: float
    forced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a slice.

    Attributes:
        jobs: By name.
        samples: Of each metric, one value for each second.
        leaves: Carried-through decommissions in no order.
    """

    jobs: Mapping[str, JobTimes]
    samples: Mapping[str, tuple[float, ...]]
    leaves: tuple[Leave, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTimes:
    """One node as the simulator's EMR ran it.

    Attributes:
        up: When YARN got it; 0 where it was there before the slice began.
        drains: (asked, deadline) of each time it was asked to leave.
        recalls: When it was asked to stay after all.
        left: When it was gone; None where it stayed.
    """

    mib: int
    up: int
    drains: tuple[tuple[int, int], ...] = ()
    recalls: tuple[int, ...] = ()
    left: int | None = None
