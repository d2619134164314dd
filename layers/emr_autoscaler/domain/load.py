"""What is learned of a cluster's load: its usual size, and how long containers run; by hour in week_profile.py."""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.demand import LONGEST_GAP, Demand
from emr_autoscaler.domain.tuning import (
    ENDED_TASKS,
    EXPECTED_TASKS,
    MOST_GUESSED,
    OTHER_WORK_OVER,
    PROFILE_LEAD,
    TASK_LENGTH_OVER,
    USUAL_LOAD_OVER,
)
from emr_autoscaler.domain.week_profile import WeekProfile, learn_profile

LONGEST_CONTAINER = timedelta(days=1)
"""What runs for longer, a service or a stream, does not end as far as any decision is concerned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was learned of a cluster's load up to one sample.

    Attributes:
        at: The sample; None before the first.
        mean_mib: Running mean of the memory in use.
        containers: Containers in use at ``at``.
        pending: Containers that waited at ``at``.
        completed: The probe's counter of ended containers at ``at``; None without a probe.
        submitted: Applications submitted up to ``at``; None where the sample did not tell.
        applications: Applications that ran or waited at ``at``; None where the sample did not tell.
        seen_seconds: Container-seconds seen lately, earlier ones forgotten little by little.
        seen_containers: Containers seen ending in that time.
        profile: By hour of the week.
    """

    at: datetime | None = None
    mean_mib: float = 0.0
    containers: float = 0.0
    pending: float = 0.0
    completed: float | None = None
    submitted: float | None = None
    applications: float | None = None
    seen_seconds: float = 0.0
    seen_containers: float = 0.0
    profile: WeekProfile = field(default_factory=WeekProfile)

    def task_seconds(self, expected: float) -> float:
        """Return how long a container runs: ``expected``, the more corrected the more was seen.

        Without a probe nobody counts those that end, and it is never less than ``expected``: if that is wrong,
        work waits.
        """
        # Few that run show a long life as well as many do; many that have just begun show nothing yet.
        lives = self.containers + self.seen_containers
        weight = max(min(EXPECTED_TASKS, max(1.0, lives)), self.containers - self.seen_containers)
        seconds = (self.seen_seconds + expected * weight) / (self.seen_containers + weight)
        least = expected if self.completed is None else 0.0
        return min(max(least, seconds), LONGEST_CONTAINER.total_seconds())

    @property
    def length_known(self) -> float:
        """How far (0-1) ``task_seconds`` is of containers that were seen ending, and not expected to."""
        return self.seen_containers / (self.seen_containers + ENDED_TASKS)

    @property
    def ended_after_seconds(self) -> float:
        """How long those ran that ended lately, less where few did; 0 where none did.

        Unlike ``task_seconds`` it grows beyond the time over which lengths are forgotten.
        """
        return self.seen_seconds / (self.seen_containers + ENDED_TASKS) if self.seen_containers >= 1 else 0.0

    def usual_mib(self, now: datetime) -> float:
        """Return the memory usually in use: lately, or in the coming hour of the week."""
        return max(self.mean_mib, self.profile.expected_mib(now + PROFILE_LEAD))

    def next_look_above(self, mib: float, now: datetime) -> datetime | None:
        """Return when to look for an hour of the week that usually needs more than ``mib``."""
        begin = self.profile.next_above(mib, now + PROFILE_LEAD)
        return None if begin is None else begin - PROFILE_LEAD


def learn_load(load: Load, demand: Demand, *, expected_seconds: float) -> Load:
    """Return what is known after one more sample; a sample that is not newer teaches nothing.

    Args:
        load: What was known.
        demand: The sample.
        expected_seconds: How long a container is expected to run, as a bound for what is guessed.
    """
    if load.at is None:
        return _sampled(load, demand)
    if demand.at <= load.at:
        return load
    passed = demand.at - load.at
    kept = math.exp(-passed / USUAL_LOAD_OVER)
    seen_seconds, seen_containers = _learn_task_length(load, demand, passed, expected_seconds)
    learned = Load(
        seen_seconds=seen_seconds,
        seen_containers=seen_containers,
        mean_mib=load.mean_mib * kept + demand.allocated_mib * (1.0 - kept),
        profile=learn_profile(load.profile, demand, passed),
    )
    return _sampled(learned, demand)


def _sampled(load: Load, demand: Demand) -> Load:
    """Keep of a sample what the next one is compared with."""
    return replace(
        load,
        at=demand.at,
        containers=demand.containers,
        pending=demand.pending_containers,
        completed=demand.completed,
        submitted=demand.submitted,
        applications=demand.applications,
    )


def _learn_task_length(
    load: Load, demand: Demand, passed: timedelta, expected_seconds: float
) -> tuple[float, float]:
    """Add up how long containers ran and how many ended, where both are known."""
    ended = _count_ended(load, demand)
    if ended is None:
        ended = _guess_ended(load, demand, passed, expected_seconds)
    if ended is None or passed > LONGEST_GAP:
        kept = math.exp(-passed / OTHER_WORK_OVER) if _is_other_work(load, demand) else 1.0
        return load.seen_seconds * kept, load.seen_containers * kept
    # What came in between has not run all the time; where nothing ended that is all there is to know.
    before, after = load.containers, demand.containers
    ran = ((before + after) / 2 if ended else min(before, after)) * passed.total_seconds()
    if not (ended or ran):
        return load.seen_seconds, load.seen_containers  # what the last work was like is still the best guess
    kept = math.exp(-passed / TASK_LENGTH_OVER)
    return load.seen_seconds * kept + ran, load.seen_containers * kept + ended


def _is_other_work(load: Load, demand: Demand) -> bool:
    """Whether applications came of which nobody knows how long their containers run."""
    told = load.submitted is not None and demand.submitted is not None
    return told and demand.submitted != load.submitted


def _count_ended(load: Load, demand: Demand) -> float | None:
    """Count the containers that ended between two samples; None where that is not known.

    A probe counts them. CloudWatch does not; but while work waits and nobody submits an application, what is
    gone from all that runs or waits has ended.
    """
    if load.completed is not None and demand.completed is not None:
        ended = demand.completed - load.completed
        return ended if ended >= 0 else None  # else it began anew
    if load.submitted is None or demand.submitted != load.submitted or not _was_full(load, demand):
        return None
    return max(0.0, _gone(load, demand))


def _guess_ended(load: Load, demand: Demand, passed: timedelta, expected_seconds: float) -> float | None:
    """Guess how many containers ended while applications came: those that were there tell what one asks for.

    None where that cannot be guessed, or what came is more than was guessed. As large applications are met
    more often than small ones the guess is high. What follows from one guess is at most that containers ran for
    half of what is expected: a wild one would be remembered for hours.
    """
    if load.submitted is None or demand.submitted is None or not load.applications or not _was_full(load, demand):
        return None
    asked = (demand.submitted - load.submitted) * (load.containers + load.pending) / load.applications
    ended = _gone(load, demand) + asked
    if asked <= 0 or ended <= 0:
        return None
    ran = (load.containers + demand.containers) / 2 * passed.total_seconds()
    return min(ended, MOST_GUESSED * ran / expected_seconds)


def _was_full(load: Load, demand: Demand) -> bool:
    """Whether work waited at both samples: where the cluster was not full, how much ran is not known."""
    return bool(load.pending and demand.pending_containers)


def _gone(load: Load, demand: Demand) -> float:
    """By how many containers less run or wait than before."""
    return load.containers + load.pending - demand.containers - demand.pending_containers
