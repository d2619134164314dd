"""The numbers behind a task decision, with where each comes from; docs/scaling.md shows what they do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from emr_autoscaler.domain.policy import Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What an objective means: a point on the curve of cost against waiting.

    Attributes:
        drain_within: Work that the present nodes leave over may take this long on all nodes before
            nodes are bought for it.
        hold: Capacity that was needed this recently is not given back.
        usual_share: Part (0-1) of the cluster's usual load for which nodes stay although nobody needs
            them now.
    """

    drain_within: timedelta
    hold: timedelta
    usual_share: float


TUNING: Mapping[Objective, Tuning] = {
    Objective.COST: Tuning(drain_within=timedelta(seconds=550), hold=timedelta(0), usual_share=0.0),
    Objective.BALANCED: Tuning(drain_within=timedelta(seconds=200), hold=timedelta(0), usual_share=0.4),
    Objective.SPEED: Tuning(drain_within=timedelta(seconds=90), hold=timedelta(minutes=4), usual_share=0.8),
}

PRESENT_NODES_WORK = timedelta(seconds=150)
"""What the present nodes do in this time is not bought for: a new node helps after 330 s, and more work comes
meanwhile. The benchmark's frontier is flat from 100 to 260 s."""

RUNNING_WORK_LEFT = 0.7
"""Of a running container's time still to come. It is half on average; the rest is for its stage's successors."""

LEAST_GROWTH = 0.1
"""A want that is larger than the capacity by less than this share is not worth a resize."""

LARGE_SURPLUS = 0.4
"""At least this share of the nodes goes as soon as it is free; a smaller surplus waits."""

SMALL_SURPLUS_WAITS = timedelta(minutes=10)
"""How long a smaller surplus has to last: starting a node again costs five minutes of it."""

USUAL_LOAD_OVER = timedelta(hours=1)
"""Time constant of the running mean that is called the usual load."""

PROFILE_LEAD = timedelta(minutes=10)
"""The hour of the week that counts is the one this far ahead: nodes ordered for it now are up by then."""

TASK_LENGTH_OVER = timedelta(minutes=20)
"""Time constant with which earlier containers' lengths are forgotten."""

EXPECTED_TASKS = 20
"""The policy's expected task length weighs as much as this many containers that were seen."""
