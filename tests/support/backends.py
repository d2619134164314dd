"""The kept ports as one bundle, in memory and on AWS's APIs (moto, or an endpoint such as the local AWS)."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import uuid4

import boto3
from botocore.config import Config
from moto import mock_aws
from tests.support.fixed_clock import FixedClock
from tests.support.tables import table_definition

from emr_autoscaler.adapters.cost_store import DynamoCosts
from emr_autoscaler.adapters.decision_store import DynamoDecisions
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.adapters.evaluation_queue import SqsEvaluationQueue
from emr_autoscaler.adapters.lease_store import DynamoLeases
from emr_autoscaler.adapters.notifier import SnsNotifier
from emr_autoscaler.adapters.policy_store import ParameterPolicies
from emr_autoscaler.adapters.pool_store import DynamoPools
from emr_autoscaler.adapters.registry_store import DynamoRegistry
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.messages.policy import parse_policy
from emr_autoscaler.ports import (
    Costs,
    Decisions,
    EvaluationQueue,
    Leases,
    Notification,
    Notifier,
    Policies,
    Pools,
    Registry,
)
from emr_simulator.inprocess.costs import MemoryCosts
from emr_simulator.inprocess.messages_out import EvaluationRequest, MemoryEvaluationQueue, MemoryNotifier
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.stores import MemoryDecisions, MemoryLeases, MemoryPools, MemoryRegistry

NOW = datetime(2026, 10, 5, 13, 20, tzinfo=UTC)
REGION = "eu-central-1"
ENDPOINT_VARIABLE = "EMR_AUTOSCALER_TEST_ENDPOINT_URL"
"""Names a third implementation of DynamoDB, SSM, SNS and SQS on which the suite runs as well."""


SERVICES_VARIABLE = "EMR_AUTOSCALER_TEST_ENDPOINT_SERVICES"
"""Set to "dynamodb" where the endpoint implements nothing else, as DynamoDB Local does."""


@cache
def aws_client(service: str, endpoint_url: str | None = None):
    """A client for moto or an endpoint; kept, for making one takes longer than most tests."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass(frozen=True, kw_only=True)
class Backend:
    """Ports under test, and what a test needs to see behind them."""

    clock: FixedClock
    registry: Registry
    decisions: Decisions
    pools: Pools
    leases: Leases
    costs: Costs
    policies: Policies
    notifier: Notifier
    queue: EvaluationQueue
    put_policy: Callable[[str, str], None]
    sent: Callable[[], list[Notification]]
    queued: Callable[[DecisionKind], list[EvaluationRequest]]
    state_table: Table | None = None
    cost_table: Table | None = None


def backend_names() -> list[str]:
    """The implementations that can run here."""
    return ["memory", "moto", *(["endpoint"] if os.environ.get(ENDPOINT_VARIABLE) else [])]


@contextmanager
def open_backend(name: str) -> Iterator[Backend]:
    """Provide a fresh, empty backend."""
    if name == "memory":
        yield _memory()
    elif name == "moto":
        with mock_aws():
            yield _on_aws(None)
    else:
        url = os.environ[ENDPOINT_VARIABLE]
        if os.environ.get(SERVICES_VARIABLE, "").split(",") == ["dynamodb"]:
            with mock_aws():  # what the endpoint lacks is moto's
                opened = _on_aws(None, dynamodb_url=url)
                yield opened
        else:
            opened = _on_aws(url)
            yield opened
        for table in (opened.state_table, opened.cost_table):
            aws_client("dynamodb", os.environ[ENDPOINT_VARIABLE]).delete_table(TableName=table.name)


def _memory() -> Backend:
    clock = FixedClock(NOW)
    policies = MemoryPolicies(parse=parse_policy)
    notifier = MemoryNotifier()
    queue = MemoryEvaluationQueue()
    return Backend(
        clock=clock,
        registry=MemoryRegistry(),
        decisions=MemoryDecisions(),
        pools=MemoryPools(),
        leases=MemoryLeases(clock),
        costs=MemoryCosts(),
        policies=policies,
        notifier=notifier,
        queue=queue,
        put_policy=policies.put_document,
        sent=lambda: notifier.sent,
        queued=lambda kind: [request for request in queue.take() if request.kind is kind],
    )


def _on_aws(endpoint_url: str | None, *, dynamodb_url: str | None = None) -> Backend:
    run = uuid4().hex[:8]  # an endpoint may outlive the test: every name is new
    clock = FixedClock(NOW)
    ssm, sns, sqs = (aws_client(name, endpoint_url) for name in ("ssm", "sns", "sqs"))
    dynamodb = aws_client("dynamodb", dynamodb_url or endpoint_url)
    tables = {}
    for resource in ("StateTable", "CostTable"):
        dynamodb.create_table(TableName=f"{resource}-{run}", **table_definition(resource))
        tables[resource] = Table(dynamodb, f"{resource}-{run}")
    topic = sns.create_topic(Name=f"topic-{run}")["TopicArn"]
    inbox = sqs.create_queue(QueueName=f"inbox-{run}")["QueueUrl"]
    inbox_arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox_arn)
    queues = {
        kind: sqs.create_queue(
            QueueName=f"{kind}-{run}.fifo",
            Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "false"},
        )["QueueUrl"]
        for kind in (DecisionKind.TASK, DecisionKind.CORE)
    }
    prefix = f"/stack-{run}"

    def put_policy(name: str, text: str) -> None:
        ssm.put_parameter(Name=f"{prefix}/policies/{name}", Value=text, Type="String", Overwrite=True)

    def received(url: str) -> list[dict]:
        bodies = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def sent() -> list[Notification]:
        return [
            Notification(
                subject=body["Subject"],
                body=body["Message"],
                attributes={k: v["Value"] for k, v in body.get("MessageAttributes", {}).items()},
            )
            for body in received(inbox)
        ]

    def queued(kind: DecisionKind) -> list[EvaluationRequest]:
        return [
            EvaluationRequest(
                cluster_id=body["cluster_id"],
                kind=DecisionKind(body["kind"]),
                requested_at=datetime.fromisoformat(body["requested_at"]),
                cause=body["cause"],
            )
            for body in received(queues[kind])
        ]

    state = tables["StateTable"]
    return Backend(
        clock=clock,
        registry=DynamoRegistry(state),
        decisions=DynamoDecisions(state),
        pools=DynamoPools(state),
        leases=DynamoLeases(state, clock, length=timedelta(seconds=60)),
        costs=DynamoCosts(tables["CostTable"]),
        policies=ParameterPolicies(ssm, state, prefix=prefix, parse=parse_policy, clock=clock),
        notifier=SnsNotifier(sns, topic),
        queue=SqsEvaluationQueue(sqs, queues),
        put_policy=put_policy,
        sent=sent,
        queued=queued,
        state_table=state,
        cost_table=tables["CostTable"],
    )
