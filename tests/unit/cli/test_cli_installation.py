"""How the deployed system is found, and what is asked of the account: on stubbed AWS answers."""

import argparse
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from tests.support.installations import OUTPUTS
from tests.support.template import template

from emr_autoscaler.adapters.clients import Clients
from emr_autoscaler.domain.errors import InvalidPolicyError, RefusedError
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler_cli import installation as module
from emr_autoscaler_cli.account import AwsAccount, Stack, TableState
from emr_autoscaler_cli.doctor import DEAD_LETTERS, QUEUES
from emr_autoscaler_cli.failures import FailedError, UsageError
from emr_autoscaler_cli.installation import connect_to_aws, find_stack, settings_of

ARN = "arn:aws:cloudformation:eu-west-1:123456789012:stack/scaling/1"
STACK = Stack(arn=ARN, status="CREATE_COMPLETE", outputs=OUTPUTS, parameters={"CostCentreTagKey": "team"})


class StubbedSession:
    """A session whose clients answer what a test says, and refuse any other call."""

    def __init__(self) -> None:
        self._session = boto3.Session(
            aws_access_key_id="AKIATEST", aws_secret_access_key="test", region_name="eu-west-1"
        )
        self.clients: dict[str, Any] = {}
        self.stubs: dict[str, Stubber] = {}

    def client(self, service: str, **options: Any) -> Any:
        if service not in self.clients:
            self.clients[service] = self._session.client(service)
            self.stubs[service] = Stubber(self.clients[service])
            self.stubs[service].activate()
        return self.clients[service]

    def answers(self, service: str, operation: str, answer: Mapping[str, Any], expected: Any = None) -> None:
        self.client(service)
        self.stubs[service].add_response(operation, dict(answer), expected)


@pytest.fixture
def session() -> StubbedSession:
    return StubbedSession()


@pytest.fixture
def account(session: StubbedSession) -> AwsAccount:
    return AwsAccount(session, Clients(session), STACK, "emr-autoscaler")  # type: ignore[arg-type]


def described(outputs: Mapping[str, str], parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "StackId": ARN,
        "StackName": "scaling",
        "CreationTime": "2026-10-05T00:00:00Z",
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()
        ],
    }


def test_the_stack_is_found_by_its_prefix_whatever_its_name(session) -> None:
    stacks = [described({}), described({**OUTPUTS, "StackPrefix": "other"}), described(OUTPUTS)]
    session.answers("cloudformation", "describe_stacks", {"Stacks": stacks})
    stack = find_stack(session.client("cloudformation"), "emr-autoscaler")
    assert (stack.region, stack.account_id) == ("eu-west-1", "123456789012")
    assert stack.outputs == OUTPUTS


def test_an_unknown_prefix_is_a_failure_that_names_prefix_and_region(session) -> None:
    session.answers("cloudformation", "describe_stacks", {"Stacks": [described(OUTPUTS)]})
    with pytest.raises(FailedError, match="'nightly' in eu-west-1"):
        find_stack(session.client("cloudformation"), "nightly")


def test_the_settings_are_those_of_the_functions() -> None:
    settings = settings_of(STACK, {})
    assert settings.state_table == "state"
    assert settings.cost_centre_tag_key == "team"
    assert settings.clock_url is None
    assert settings_of(STACK, {"EMR_AUTOSCALER_CLOCK_URL": "http://127.0.0.1:1"}).clock_url


def test_an_output_that_is_missing_is_named() -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name != "CostTableName"}
    with pytest.raises(FailedError, match="CostTableName"):
        settings_of(Stack(arn=ARN, status="", outputs=outputs, parameters={}), {})


def test_every_output_that_is_read_stands_in_the_template() -> None:
    needed = {*module.OUTPUTS.values(), *DEAD_LETTERS.values(), *QUEUES.values()}
    assert needed <= set(template()["Outputs"])
    assert set(OUTPUTS) <= set(template()["Outputs"])


def test_a_profile_that_does_not_exist_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--profile"):
        connect_to_aws(argparse.Namespace(profile="nobody-has-this", region=None, stack_prefix="x"))


def test_without_a_region_usage_is_wrong(monkeypatch, tmp_path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UsageError, match="--region"):
        connect_to_aws(argparse.Namespace(profile=None, region=None, stack_prefix="x"))


def test_tags_are_set_and_removed_on_the_cluster(session, account) -> None:
    session.answers("emr", "add_tags", {}, {"ResourceId": "j-1", "Tags": [{"Key": "k", "Value": "true"}]})
    session.answers("emr", "remove_tags", {}, {"ResourceId": "j-1", "TagKeys": ["k"]})
    account.set_tag("j-1", "k", "true")
    account.remove_tag("j-1", "k")
    session.stubs["emr"].assert_no_pending_responses()


def test_a_refused_tag_is_an_error_of_the_domain(session, account) -> None:
    session.client("emr")
    session.stubs["emr"].add_client_error("add_tags", "AccessDeniedException", "no")
    with pytest.raises(RefusedError):
        account.set_tag("j-1", "k", "true")


def test_policies_are_read_and_judged_and_nothing_is_stored(session, account) -> None:
    parameters = [
        {"Name": "/emr-autoscaler/policies/default", "Value": "{}"},
        {"Name": "/emr-autoscaler/policies/broken", "Value": "{"},
    ]
    session.answers("ssm", "get_parameters_by_path", {"Parameters": parameters})
    book = account.policies()
    assert isinstance(book["default"], Policy)
    assert isinstance(book["broken"], InvalidPolicyError)


def test_a_table_is_described_with_its_protections(session, account) -> None:
    session.answers(
        "dynamodb", "describe_table", {"Table": {"TableStatus": "ACTIVE", "DeletionProtectionEnabled": True}}
    )
    backups = {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"},
    }
    session.answers("dynamodb", "describe_continuous_backups", {"ContinuousBackupsDescription": backups})
    assert account.table("costs") == TableState(status="ACTIVE", is_protected=True, is_recoverable=True)


def test_messages_of_a_queue_are_counted(session, account) -> None:
    session.answers("sqs", "get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "3"}})
    assert account.messages_in("https://queue") == 3


def test_rules_are_those_of_the_stack_and_a_removed_one_is_none(session, account) -> None:
    resources = [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": name,
            "ResourceType": kind,
            "LastUpdatedTimestamp": "2026-10-05T00:00:00Z",
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name, kind in (
            ("emr-autoscaler-sweep", "AWS::Events::Rule"),
            ("emr-autoscaler-gone", "AWS::Events::Rule"),
            ("emr-autoscaler-x", "AWS::Lambda::Function"),
        )
    ]
    rules = [{"Name": "emr-autoscaler-sweep", "State": "DISABLED"}, {"Name": "emr-autoscaler-foreign"}]
    rules[1]["State"] = "ENABLED"
    session.answers("events", "list_rules", {"Rules": rules})
    session.answers("cloudformation", "list_stack_resources", {"StackResourceSummaries": resources})
    assert account.rules() == {"emr-autoscaler-sweep": "DISABLED", "emr-autoscaler-gone": None}


def test_only_alarms_of_the_stack_itself_are_asked_for(session, account) -> None:
    session.answers(
        "cloudwatch",
        "describe_alarms",
        {"MetricAlarms": [{"AlarmName": "emr-autoscaler.queue.failed-events"}]},
        {"AlarmNamePrefix": "emr-autoscaler.", "StateValue": "ALARM"},
    )
    assert account.ringing_alarms() == ("emr-autoscaler.queue.failed-events",)


def test_only_confirmed_subscriptions_count(session, account) -> None:
    arns = ["arn:aws:sns:eu-west-1:123456789012:emr-autoscaler-notifications:1", "PendingConfirmation"]
    subscriptions = [{"SubscriptionArn": arn} for arn in arns]
    session.answers("sns", "list_subscriptions_by_topic", {"Subscriptions": subscriptions})
    assert account.subscriptions() == 1


@pytest.mark.parametrize(
    ("properties", "kept"),
    [
        (
            {
                "yarn.node-labels.enabled": "true",
                "yarn.node-labels.am.default-node-label-expression": "CORE",
            },
            True,
        ),
        ({"yarn.node-labels.enabled": "true"}, False),
        ({}, False),
    ],
    ids=["bound", "labels only", "nothing"],
)
def test_node_labels_bind_masters_only_with_both_settings(session, account, properties, kept) -> None:
    configurations = [{"Classification": "yarn-site", "Properties": properties}]
    session.answers("emr", "describe_cluster", {"Cluster": {"Configurations": configurations}})
    assert account.keeps_masters_off_spot("j-1") is kept
