"""How much memory of task nodes a cluster's work wants and needs; where the nodes stand is in placement.py."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_autoscaler.domain.demand import Demand
from emr_autoscaler.domain.load import LONGEST_CONTAINER, Load
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.tuning import FINISH_LENGTHS, PRESENT_NODES_WORK, RUNNING_WORK_LEFT, Tuning, tuning_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What one sample wants of task nodes, in MiB of YARN memory, before bounds.

    Attributes:
        task_seconds: How long a container is taken to run.
        tuning: What the policy asks for, of such containers.
        drain_mib: To drain what the present nodes leave over in the time allowed.
        usual_mib: To keep ready for the usual load.
        spare_mib: To keep the policy's headroom above what is in use.
        in_use_mib: So that everything that runs or waits fits: as long as it is there, nothing is given back.
    """

    task_seconds: float
    tuning: Tuning
    drain_mib: float
    usual_mib: float
    spare_mib: float
    in_use_mib: float

    @property
    def is_everything(self) -> bool:
        """Whether nodes are wanted for all that runs and waits, because none of it would drain in time."""
        return 0 < self.in_use_mib <= self.drain_mib

    @property
    def wanted_mib(self) -> float:
        """Nodes are bought up to this."""
        return max(self.drain_mib, self.usual_mib, self.spare_mib)

    @property
    def needed_mib(self) -> float:
        """Nodes are given back down to this."""
        return max(self.wanted_mib, self.in_use_mib)


def tuning_now(policy: TaskPolicy, load: Load) -> Tuning:
    """Return what the policy asks for, of containers as long as those that were learned of."""
    return tuning_of(policy).suited_to(load.task_seconds(policy.expected_task_seconds), known=load.length_known)


def finishing_time(policy: TaskPolicy, load: Load) -> timedelta:
    """Return how long a leaving node may drain: the policy's timeout, or longer where containers ran for longer.

    Whole minutes, and at most a day where the policy does not allow more.
    """
    lasts = timedelta(minutes=math.ceil(FINISH_LENGTHS * load.ended_after_seconds / 60))
    return max(policy.decommission_timeout, min(lasts, LONGEST_CONTAINER))


def find_want(demand: Demand, load: Load, policy: TaskPolicy, *, elsewhere_mib: float, now: datetime) -> Want:
    """Weigh the work by the time it takes.

    Args:
        demand: The newest sample.
        load: What was learned, this sample included.
        policy: The task section of the policy.
        elsewhere_mib: Memory of core nodes and of groups that may not be touched: they carry work as well.
        now: For the hour of the week.
    """
    task_seconds = load.task_seconds(policy.expected_task_seconds)
    tuning = tuning_now(policy, load)
    work = (demand.pending_mib + RUNNING_WORK_LEFT * demand.allocated_mib) * task_seconds
    left_over = max(0.0, work - demand.total_mib * PRESENT_NODES_WORK.total_seconds())
    spare = demand.allocated_mib * (1 + policy.headroom_percent / 100) if policy.headroom_percent else 0.0
    in_use = max(0.0, demand.allocated_mib + demand.pending_mib - elsewhere_mib)
    drain = max(0.0, left_over / tuning.drain_within.total_seconds() - elsewhere_mib)
    return Want(
        task_seconds=task_seconds,
        tuning=tuning,
        # Memory that no container asks for drains nothing: long containers that run are not helped by nodes.
        drain_mib=min(drain, in_use),
        usual_mib=max(0.0, tuning.usual_share * load.usual_mib(now) - elsewhere_mib),
        spare_mib=max(0.0, spare - elsewhere_mib),
        in_use_mib=in_use,
    )
