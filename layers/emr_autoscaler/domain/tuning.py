"""The numbers behind a task decision, with where each comes from; docs/scaling.md shows what they do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise

from emr_autoscaler.domain.policy import Objective, TaskPolicy

SMALL_SURPLUS_WAITS = timedelta(minutes=10)
"""How long a small surplus has to last before it goes: starting a node again costs five minutes of it."""

TYPICAL_BOOT = timedelta(seconds=330)
"""From an order to a node that takes containers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """A point on the curve of cost against waiting.

    Attributes:
        drain_within: Work that the present nodes leave over may take this long on all nodes before
            nodes are bought for it.
        drain_lengths: Or this many times the length of its containers, where that is longer.
        hold: Capacity that was needed this recently is not given back.
        usual_share: Part (0-1) of the cluster's usual load for which nodes stay although nobody needs
            them now.
        surplus_waits: How long a small surplus has to last before it goes.
    """

    drain_within: timedelta
    drain_lengths: float
    hold: timedelta
    usual_share: float
    surplus_waits: timedelta = SMALL_SURPLUS_WAITS

    def suited_to(self, task_seconds: float, *, known: float) -> "Tuning":
        """Return the point for containers of this length: who waits for long ones waits longer, all the same.

        So more time is allowed to drain, and less is paid for nodes that stand ready: what they save is a
        boot, which is the less of a container's time the longer that is.

        Args:
            task_seconds: How long a container is taken to run.
            known: How far (0-1) that is known.
        """
        boot_counts = min(1.0, TYPICAL_BOOT.total_seconds() / task_seconds) if task_seconds else 1.0
        ready = 1.0 - known * (1.0 - boot_counts)
        return replace(
            self,
            drain_within=max(self.drain_within, timedelta(seconds=self.drain_lengths * task_seconds * known)),
            hold=self.hold * ready,
            usual_share=self.usual_share * ready,
            surplus_waits=self.surplus_waits * ready,
        )


OBJECTIVES: Mapping[Objective, Tuning] = {
    Objective.COST: Tuning(
        drain_within=timedelta(seconds=550), drain_lengths=2.0, hold=timedelta(0), usual_share=0.0
    ),
    Objective.BALANCED: Tuning(
        drain_within=timedelta(seconds=200), drain_lengths=1.5, hold=timedelta(0), usual_share=0.4
    ),
    Objective.SPEED: Tuning(
        drain_within=timedelta(seconds=90), drain_lengths=0.5, hold=timedelta(minutes=4), usual_share=0.4
    ),
}

_CURVE = sorted(OBJECTIVES.values(), key=lambda point: point.drain_within)


def tuning_of(policy: TaskPolicy) -> Tuning:
    """Return the point of the curve that a policy asks for.

    A drain time of its own is kept to, however long containers run. It gets the hold and the usual share of the
    objectives on both sides, linear in the drain time between them; beyond the first and the last they are those
    of that one.
    """
    if policy.drain_within is None:
        return OBJECTIVES[policy.objective]
    return _tuning_at(policy.drain_within)


@lru_cache
def _tuning_at(drain_within: timedelta) -> Tuning:
    if drain_within <= _CURVE[0].drain_within:
        return replace(_CURVE[0], drain_within=drain_within, drain_lengths=0.0)
    for faster, slower in pairwise(_CURVE):
        if drain_within <= slower.drain_within:
            part = (drain_within - faster.drain_within) / (slower.drain_within - faster.drain_within)
            return Tuning(
                drain_within=drain_within,
                drain_lengths=0.0,
                hold=faster.hold + part * (slower.hold - faster.hold),
                usual_share=faster.usual_share + part * (slower.usual_share - faster.usual_share),
            )
    return replace(_CURVE[-1], drain_within=drain_within, drain_lengths=0.0)


PRESENT_NODES_WORK = timedelta(seconds=150)
"""What the present nodes do in this time is not bought for: a new node helps after 330 s, and more work comes
meanwhile. The benchmark's frontier is flat from 100 to 260 s."""

RUNNING_WORK_LEFT = 0.7
"""Of a running container's time still to come. It is half on average; the rest is for its stage's successors."""

LEAST_GROWTH = 0.1
"""A want that is larger than the capacity by less than this share is not worth a resize."""

LARGE_SURPLUS = 0.4
"""At least this share of the nodes goes as soon as it is free; a smaller surplus waits."""

LARGER_THAN_A_NODE = 1.5
"""Containers of this many nodes' YARN memory fit on none: EMR gives YARN three quarters or more of a type's
memory, so that no setting makes as much of a node."""

USUAL_LOAD_OVER = timedelta(hours=1)
"""Time constant of the running mean that is called the usual load."""

PROFILE_LEAD = timedelta(minutes=10)
"""The hour of the week that counts is the one this far ahead: nodes ordered for it now are up by then."""

TASK_LENGTH_OVER = timedelta(minutes=20)
"""Time constant with which earlier containers' lengths are forgotten."""

OTHER_WORK_OVER = timedelta(hours=1)
"""Time constant with which they are forgotten while applications come of which nothing is known."""

EXPECTED_TASKS = 20
"""The policy's expected task length weighs as much as this many containers that were seen, or as fewer where fewer
run; as more while more run than were seen to end."""

MOST_GUESSED = 2.0
"""Containers that may be guessed to have ended, for each that would have if all ran as long as expected."""

FINISH_LENGTHS = 2.0
"""A leaving node has at least this many container lengths to finish: what waits for its end is less than what is
begun again after a timeout that cuts it off."""

ENDED_TASKS = 5
"""Once this many containers were lately seen to end, half of the drain time that their length allows is allowed:
containers that never end, as a streaming job's, are no reason to let others wait."""
