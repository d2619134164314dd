"""What operators ask of AWS beyond the layer's ports: the stack and what belongs to it, and clusters' tags.

Nothing is judged here; doctor.py does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.domain.arns import account_of, region_of
from emr_autoscaler.domain.errors import InvalidPolicyError
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.messages.policy import parse_policy
from emr_autoscaler_cli.trails import Trail, read_trails

if TYPE_CHECKING:
    import boto3

    from emr_autoscaler.adapters.clients import Clients


_VALUES_PER_FILTER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack.

    Attributes:
        arn: Of the stack: account and region are read from it.
        status: CloudFormation's word, for instance UPDATE_COMPLETE.
        outputs: By the names the template gives them.
        parameters: As deployed.
    """

    arn: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def region(self) -> str:
        """AWS region."""
        return region_of(self.arn)

    @property
    def account_id(self) -> str:
        """AWS account."""
        return account_of(self.arn)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """A DynamoDB table as found."""

    status: str
    is_protected: bool
    is_recoverable: bool


PolicyBook = Mapping[str, Policy | InvalidPolicyError]
"""Every policy document under the stack's path, read; those that cannot be used with what is wrong."""


class Account(Protocol):
    """What the commands ask of the account. Methods may raise the domain's errors."""

    @property
    def stack(self) -> Stack:
        """The deployed stack."""
        ...

    def policies(self) -> PolicyBook:
        """Read every policy document; nothing is stored."""
        ...

    def set_tag(self, cluster_id: str, key: str, value: str) -> None:
        """Set a tag of a cluster."""
        ...

    def remove_tag(self, cluster_id: str, key: str) -> None:
        """Remove a tag of a cluster; one that is not there is no error."""
        ...

    def table(self, name: str) -> TableState:
        """Describe a table."""
        ...

    def messages_in(self, queue_url: str) -> int:
        """Count the messages that wait in a queue."""
        ...

    def rules(self) -> Mapping[str, str | None]:
        """Return the state of every event rule of the stack by name; None for one that is gone."""
        ...

    def ringing_alarms(self) -> tuple[str, ...]:
        """Return the stack's own alarms that stand in ALARM."""
        ...

    def subscriptions(self) -> int:
        """Count the confirmed subscriptions of the notification topic."""
        ...

    def keeps_masters_off_spot(self, cluster_id: str) -> bool:
        """Return whether YARN's node labels bind application masters to CORE nodes."""
        ...

    def trails(self) -> Sequence[Trail]:
        """Return the CloudTrail trails that cover the region."""
        ...

    def zones_with(self, instance_types: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return the zones of the region that offer each type; types that none offers are left out."""
        ...


class AwsAccount:
    """Implements ``Account`` on AWS."""

    def __init__(self, session: "boto3.Session", clients: "Clients", stack: Stack, prefix: str) -> None:
        self._session = session
        self._clients = clients
        self._prefix = prefix
        self.stack = stack

    def policies(self) -> PolicyBook:
        """Read every policy document."""
        path = self.stack.outputs["PolicyPath"]
        book: dict[str, Policy | InvalidPolicyError] = {}
        with domain_errors():
            pages = self._clients.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
            texts = {p["Name"].rpartition("/")[2]: p["Value"] for page in pages for p in page["Parameters"]}
        for name, text in sorted(texts.items()):
            try:
                book[name] = parse_policy(name, text)
            except InvalidPolicyError as error:
                book[name] = error
        return book

    def set_tag(self, cluster_id: str, key: str, value: str) -> None:
        """Set a tag of a cluster."""
        with domain_errors():
            self._clients.emr.add_tags(ResourceId=cluster_id, Tags=[{"Key": key, "Value": value}])

    def remove_tag(self, cluster_id: str, key: str) -> None:
        """Remove a tag of a cluster."""
        with domain_errors():
            self._clients.emr.remove_tags(ResourceId=cluster_id, TagKeys=[key])

    def table(self, name: str) -> TableState:
        """Describe a table."""
        with domain_errors():
            table = self._clients.dynamodb.describe_table(TableName=name)["Table"]
            backups = self._clients.dynamodb.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return TableState(
            status=table.get("TableStatus", ""),
            is_protected=table.get("DeletionProtectionEnabled", False),
            is_recoverable=recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
        )

    def messages_in(self, queue_url: str) -> int:
        """Count the messages that wait in a queue."""
        with domain_errors():
            answer = self._clients.sqs.get_queue_attributes(
                QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def rules(self) -> Mapping[str, str | None]:
        """Return the state of every event rule of the stack by name; None for one that is gone."""
        client = self._session.client("events")
        with domain_errors():
            pages = client.get_paginator("list_rules").paginate(NamePrefix=f"{self._prefix}-")
            found = {rule["Name"]: rule["State"] for page in pages for rule in page["Rules"]}
        return {name: found.get(name) for name in self._resources("AWS::Events::Rule")}

    def ringing_alarms(self) -> tuple[str, ...]:
        """Return the stack's own alarms that stand in ALARM."""
        with domain_errors():
            pages = self._clients.cloudwatch.get_paginator("describe_alarms").paginate(
                AlarmNamePrefix=f"{self._prefix}.", StateValue="ALARM"
            )
            return tuple(alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"])

    def subscriptions(self) -> int:
        """Count the confirmed subscriptions of the notification topic."""
        topic = self.stack.outputs["NotificationTopicArn"]
        with domain_errors():
            pages = self._clients.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
            found = [s["SubscriptionArn"] for page in pages for s in page["Subscriptions"]]
        return sum(arn.startswith("arn:") for arn in found)

    def keeps_masters_off_spot(self, cluster_id: str) -> bool:
        """Return whether YARN's node labels bind application masters to CORE nodes."""
        with domain_errors():
            description = self._clients.emr.describe_cluster(ClusterId=cluster_id)["Cluster"]
        properties: dict[str, str] = {}
        for configuration in description.get("Configurations", []):
            if configuration.get("Classification") == "yarn-site":
                properties |= configuration.get("Properties", {})
        labels = properties.get("yarn.node-labels.enabled", "").lower() == "true"
        return labels and properties.get("yarn.node-labels.am.default-node-label-expression") == "CORE"

    def trails(self) -> Sequence[Trail]:
        """Return the CloudTrail trails that cover the region."""
        return read_trails(self._session)

    def zones_with(self, instance_types: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return the zones of the region that offer each type; types that none offers are left out."""
        zones: dict[str, set[str]] = {}
        names = list(dict.fromkeys(instance_types))
        for start in range(0, len(names), _VALUES_PER_FILTER):
            with domain_errors():
                pages = self._clients.ec2.get_paginator("describe_instance_type_offerings").paginate(
                    LocationType="availability-zone",
                    Filters=[{"Name": "instance-type", "Values": names[start : start + _VALUES_PER_FILTER]}],
                )
                for offer in (offer for page in pages for offer in page["InstanceTypeOfferings"]):
                    zones.setdefault(offer["InstanceType"], set()).add(offer["Location"])
        return {name: frozenset(found) for name, found in zones.items()}

    def _resources(self, kind: str) -> list[str]:
        with domain_errors():
            pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.stack.arn)
            resources = [r for page in pages for r in page["StackResourceSummaries"] if r["ResourceType"] == kind]
        # A rule's physical id is its name, on a custom bus "bus|name".
        return sorted(r.get("PhysicalResourceId", "").rpartition("|")[2] for r in resources)

    @cached_property
    def _cloudformation(self) -> "CloudFormationClient":
        return self._session.client("cloudformation")


if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
