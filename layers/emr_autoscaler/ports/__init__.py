"""What use cases need of the world outside, as protocols.

adapters/ implements them on AWS, emr_simulator on a simulated world; one contract suite holds both
to the same words. Every method may raise ``UnavailableError`` (throttled or failing for now); other
errors are named.
"""

from emr_autoscaler.ports.cloudwatch import Alarms, AlarmSpec, MetricsReader
from emr_autoscaler.ports.ec2 import Compute, ComputeInstance, PriceList
from emr_autoscaler.ports.emr import ClusterActuator, ClusterReader, NewTaskFleet, NewTaskGroup
from emr_autoscaler.ports.finance import BillingExport, Budgets, Costs, Statements
from emr_autoscaler.ports.messages_out import EvaluationQueue, Notification, Notifier
from emr_autoscaler.ports.state import Clock, Decisions, Leases, Policies, Pools, Registry

__all__ = [
    "AlarmSpec",
    "Alarms",
    "BillingExport",
    "Budgets",
    "Clock",
    "ClusterActuator",
    "ClusterReader",
    "Compute",
    "ComputeInstance",
    "Costs",
    "Decisions",
    "EvaluationQueue",
    "Leases",
    "MetricsReader",
    "NewTaskFleet",
    "NewTaskGroup",
    "Notification",
    "Notifier",
    "Policies",
    "Pools",
    "PriceList",
    "Registry",
    "Statements",
]
