"""Finds a deployed system by its prefix and puts the layer's ports on it."""

import argparse
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ProfileNotFound

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.clients import CONFIG, Clients
from emr_autoscaler.bootstrap import Ports
from emr_autoscaler.bootstrap.aws import AwsPorts
from emr_autoscaler.settings import Settings, read_settings
from emr_autoscaler_cli.account import Account, AwsAccount, Stack
from emr_autoscaler_cli.failures import FailedError, UsageError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

OUTPUTS = {
    "STACK_PREFIX": "StackPrefix",
    "STATE_TABLE": "StateTableName",
    "COST_TABLE": "CostTableName",
    "TASK_EVALUATION_QUEUE_URL": "TaskEvaluationQueueUrl",
    "CORE_EVALUATION_QUEUE_URL": "CoreEvaluationQueueUrl",
    "NOTIFICATION_TOPIC_ARN": "NotificationTopicArn",
    "POLICY_PATH": "PolicyPath",
}
"""The functions' environment and the outputs of template.yaml that hold the same."""

CLOCK_VARIABLE = "EMR_AUTOSCALER_CLOCK_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A deployed system, as commands use it."""

    prefix: str
    ports: Ports
    account: Account


Connect = Callable[[argparse.Namespace], Installation]


def open_session(arguments: argparse.Namespace) -> boto3.Session:
    """Open a session with the profile and in the region that the arguments or the environment name.

    Raises:
        UsageError: The profile does not exist, or no region is known.
    """
    try:
        session = boto3.Session(profile_name=arguments.profile, region_name=arguments.region)
    except ProfileNotFound as error:
        msg = f"--profile: there is no AWS profile {arguments.profile!r}"
        raise UsageError(msg) from error
    if not session.region_name:
        msg = "--region: no AWS region is given, neither here nor by the environment or the profile"
        raise UsageError(msg)
    return session


def connect_to_aws(arguments: argparse.Namespace) -> Installation:
    """Find the system that the arguments name.

    Raises:
        UsageError: The profile does not exist, or no region is known.
        FailedError: There is no such stack, or it lacks an output.
    """
    session = open_session(arguments)
    stack = find_stack(session.client("cloudformation", config=CONFIG), arguments.stack_prefix)
    clients = Clients(session)
    return Installation(
        prefix=arguments.stack_prefix,
        ports=AwsPorts(settings_of(stack, os.environ), clients),
        account=AwsAccount(session, clients, stack, arguments.stack_prefix),
    )


def find_stack(client: "CloudFormationClient", prefix: str) -> Stack:
    """Return the stack whose output StackPrefix is ``prefix``, whatever its own name is.

    Raises:
        FailedError: There is none.
    """
    with domain_errors():
        for page in client.get_paginator("describe_stacks").paginate():
            for described in page["Stacks"]:
                stack = _stack(described)
                if stack.outputs.get("StackPrefix") == prefix and "StateTableName" in stack.outputs:
                    return stack
    region = client.meta.region_name
    msg = f"no stack with StackPrefix {prefix!r} in {region}; see --stack-prefix, --region and --profile"
    raise FailedError(msg)


def settings_of(stack: Stack, environment: Mapping[str, str]) -> Settings:
    """Return the settings that the stack's functions run with.

    Raises:
        FailedError: The stack lacks an output: it was deployed by another release.
    """
    missing = [output for output in OUTPUTS.values() if output not in stack.outputs]
    if missing:
        msg = f"the stack lacks the output {missing[0]}; deploy this release, or use the one that was deployed"
        raise FailedError(msg)
    values = {variable: stack.outputs[output] for variable, output in OUTPUTS.items()}
    values["COST_CENTRE_TAG_KEY"] = stack.parameters.get("CostCentreTagKey", "cost-centre")
    if CLOCK_VARIABLE in environment:
        values[CLOCK_VARIABLE] = environment[CLOCK_VARIABLE]
    return read_settings(values)


def _stack(described: "StackTypeDef") -> Stack:
    outputs = {o.get("OutputKey", ""): o.get("OutputValue", "") for o in described.get("Outputs", [])}
    parameters = {p.get("ParameterKey", ""): p.get("ParameterValue", "") for p in described.get("Parameters", [])}
    return Stack(
        arn=described.get("StackId", ""),
        status=described["StackStatus"],
        outputs=outputs,
        parameters=parameters,
    )
