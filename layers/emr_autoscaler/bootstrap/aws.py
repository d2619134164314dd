"""The ports on AWS, as a deployed function uses them."""

from collections.abc import Mapping
from functools import cached_property

from emr_autoscaler.adapters.billing_export import S3BillingExport
from emr_autoscaler.adapters.budget_store import ParameterBudgets
from emr_autoscaler.adapters.clients import Clients
from emr_autoscaler.adapters.clocks import RemoteClock, SystemClock
from emr_autoscaler.adapters.cloudwatch import CloudWatchAlarms, CloudWatchMetrics
from emr_autoscaler.adapters.cost_store import DynamoCosts
from emr_autoscaler.adapters.decision_store import DynamoDecisions
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.adapters.ec2 import Ec2Compute
from emr_autoscaler.adapters.emr import EmrClusterReader
from emr_autoscaler.adapters.emr_actuator import DryRunActuator, LiveActuator
from emr_autoscaler.adapters.evaluation_queue import SqsEvaluationQueue
from emr_autoscaler.adapters.lease_store import DynamoLeases
from emr_autoscaler.adapters.notifier import SnsNotifier
from emr_autoscaler.adapters.policy_store import ParameterPolicies
from emr_autoscaler.adapters.pool_store import DynamoPools
from emr_autoscaler.adapters.price_list import AwsPriceList
from emr_autoscaler.adapters.registry_store import DynamoRegistry
from emr_autoscaler.adapters.statement_store import S3Statements
from emr_autoscaler.domain.arns import account_of, region_of
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.policy import Mode
from emr_autoscaler.messages.budgets import parse_budgets
from emr_autoscaler.messages.policy import parse_policy
from emr_autoscaler.ports import (
    Alarms,
    BillingExport,
    Budgets,
    Clock,
    ClusterActuator,
    ClusterReader,
    Compute,
    Costs,
    Decisions,
    EvaluationQueue,
    Leases,
    MetricsReader,
    Notifier,
    Policies,
    Pools,
    PriceList,
    Registry,
    Statements,
)
from emr_autoscaler.settings import Settings


class AwsPorts:
    """Implements ``Ports``; every adapter and client is made when it is first needed."""

    def __init__(self, settings: Settings, clients: Clients) -> None:
        self._settings = settings
        self._clients = clients

    @property
    def prefix(self) -> str:
        """Begins the names of what this stack creates."""
        return self._settings.stack_prefix

    @property
    def cost_centre_tag(self) -> str:
        """The tag that names the cost centre."""
        return self._settings.cost_centre_tag_key

    @cached_property
    def clock(self) -> Clock:
        """The system's clock; in a rehearsal the virtual one."""
        url = self._settings.clock_url
        return RemoteClock(url) if url else SystemClock()

    @cached_property
    def reader(self) -> ClusterReader:
        """EMR, looked at."""
        return EmrClusterReader(self._clients.emr)

    @cached_property
    def actuators(self) -> Mapping[Mode, ClusterActuator]:
        """Dry run is another adapter, not an ``if`` in the logic."""
        return {Mode.LIVE: LiveActuator(self._clients.emr), Mode.DRY_RUN: DryRunActuator()}

    @cached_property
    def metrics(self) -> MetricsReader:
        """CloudWatch metrics."""
        return CloudWatchMetrics(self._clients.cloudwatch)

    @cached_property
    def alarms(self) -> Alarms:
        """CloudWatch alarms."""
        return CloudWatchAlarms(self._clients.cloudwatch)

    @cached_property
    def compute(self) -> Compute:
        """EC2."""
        return Ec2Compute(self._clients.ec2)

    @cached_property
    def price_list(self) -> PriceList:
        """The published price list."""
        return AwsPriceList(self._clients.pricing)

    @cached_property
    def registry(self) -> Registry:
        """Enrolled clusters."""
        return DynamoRegistry(self._state)

    @cached_property
    def decisions(self) -> Decisions:
        """The journal."""
        return DynamoDecisions(self._state)

    @cached_property
    def pools(self) -> Pools:
        """Pool health."""
        return DynamoPools(self._state)

    @cached_property
    def leases(self) -> Leases:
        """One invocation at a time for each cluster."""
        return DynamoLeases(self._state, self.clock)

    @cached_property
    def policies(self) -> Policies:
        """Policy documents."""
        return ParameterPolicies(
            self._clients.ssm,
            self._state,
            prefix=self._settings.policy_path.removesuffix("/policies"),
            parse=parse_policy,
            clock=self.clock,
        )

    @cached_property
    def costs(self) -> Costs:
        """Cost records."""
        return DynamoCosts(Table(self._clients.dynamodb, self._settings.cost_table))

    @property
    def account_id(self) -> str:
        """The stack's account, from the ARN of its topic."""
        return account_of(self._settings.notification_topic_arn)

    @property
    def region(self) -> str:
        """The stack's region, from the ARN of its topic."""
        return region_of(self._settings.notification_topic_arn)

    @property
    def own_role_names(self) -> frozenset[str]:
        """The roles of this stack's functions: what they call is not an operator's doing."""
        return frozenset(name for name in self._settings.own_role_names.split(",") if name)

    @cached_property
    def statements(self) -> Statements:
        """Files for finance."""
        return S3Statements(self._clients.s3, self._settings.statements_bucket)

    @cached_property
    def billing_export(self) -> BillingExport:
        """AWS's bill."""
        bucket, prefix = self._settings.billing_export_bucket, self._settings.billing_export_prefix
        return S3BillingExport(self._clients.s3, bucket, prefix)

    @cached_property
    def budgets(self) -> Budgets:
        """Budgets, and which thresholds were told."""
        table = Table(self._clients.dynamodb, self._settings.cost_table)
        parameter = f"{self._settings.policy_path.removesuffix('/policies')}/budgets"
        return ParameterBudgets(self._clients.ssm, table, parameter=parameter, parse=parse_budgets)

    @cached_property
    def notifier(self) -> Notifier:
        """Tells people."""
        return SnsNotifier(self._clients.sns, self._settings.notification_topic_arn)

    @cached_property
    def queue(self) -> EvaluationQueue:
        """Asks for another look."""
        return SqsEvaluationQueue(
            self._clients.sqs,
            {
                DecisionKind.TASK: self._settings.task_evaluation_queue_url,
                DecisionKind.CORE: self._settings.core_evaluation_queue_url,
            },
        )

    @cached_property
    def _state(self) -> Table:
        return Table(self._clients.dynamodb, self._settings.state_table)
