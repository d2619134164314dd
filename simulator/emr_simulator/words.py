"""AWS's own words for what a cluster is made of; no behaviour and nothing of the layer lives here."""

from enum import StrEnum


class Role(StrEnum):
    """What a group of instances does."""

    MASTER = "MASTER"
    CORE = "CORE"
    TASK = "TASK"


class Market(StrEnum):
    """How an instance is bought."""

    ON_DEMAND = "ON_DEMAND"
    SPOT = "SPOT"


class ClusterState(StrEnum):
    """Life cycle of a cluster."""

    STARTING = "STARTING"
    BOOTSTRAPPING = "BOOTSTRAPPING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    TERMINATING = "TERMINATING"
    TERMINATED = "TERMINATED"
    TERMINATED_WITH_ERRORS = "TERMINATED_WITH_ERRORS"


ENDING = frozenset({ClusterState.TERMINATING, ClusterState.TERMINATED, ClusterState.TERMINATED_WITH_ERRORS})
"""States from which a cluster never comes back."""


class GroupState(StrEnum):
    """Life cycle of an instance group."""

    PROVISIONING = "PROVISIONING"
    BOOTSTRAPPING = "BOOTSTRAPPING"
    RUNNING = "RUNNING"
    RECONFIGURING = "RECONFIGURING"
    RESIZING = "RESIZING"
    SUSPENDED = "SUSPENDED"
    TERMINATING = "TERMINATING"
    TERMINATED = "TERMINATED"
    ARRESTED = "ARRESTED"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    ENDED = "ENDED"


class InstanceState(StrEnum):
    """Life cycle of an instance as EMR reports it."""

    AWAITING_FULFILLMENT = "AWAITING_FULFILLMENT"
    PROVISIONING = "PROVISIONING"
    BOOTSTRAPPING = "BOOTSTRAPPING"
    RUNNING = "RUNNING"
    TERMINATED = "TERMINATED"


class StepState(StrEnum):
    """Life cycle of a step."""

    PENDING = "PENDING"
    CANCEL_PENDING = "CANCEL_PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"


class BillComponent(StrEnum):
    """What a line of the bill is for."""

    EMR_FEE = "EMR_FEE"
    EC2_ON_DEMAND = "EC2_ON_DEMAND"
    EC2_SPOT = "EC2_SPOT"
    EBS = "EBS"
