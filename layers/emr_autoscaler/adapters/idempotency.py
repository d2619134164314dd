"""Each event once: Powertools' idempotency records in the state table, by the id EventBridge gave it."""

from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig

from emr_autoscaler.adapters.dynamodb_table import PK, SK
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.state_table import EXPIRES_AT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION = "EVENT"

REMEMBER_SECONDS = 24 * 3600
"""EventBridge retries for up to a day."""

PERMISSIONS = (
    Permission(("dynamodb:PutItem",), "note that an event is being handled"),
    Permission(("dynamodb:GetItem",), "see whether an event was handled"),
    Permission(("dynamodb:UpdateItem",), "note what an event led to"),
    Permission(("dynamodb:DeleteItem",), "forget an event whose handling failed, so that it is retried"),
)
"""Declared here and not by a class: the calls are Powertools' own."""


def event_store(client: "DynamoDBClient", table_name: str) -> DynamoDBPersistenceLayer:
    """Return the store of handled events."""
    return DynamoDBPersistenceLayer(
        table_name=table_name,
        key_attr=PK,
        sort_key_attr=SK,
        static_pk_value=PARTITION,
        expiry_attr=EXPIRES_AT,
        boto3_client=client,
    )


def event_config() -> IdempotencyConfig:
    """Return the setting: events are told apart by their id."""
    return IdempotencyConfig(
        event_key_jmespath="id", raise_on_no_idempotency_key=True, expires_after_seconds=REMEMBER_SECONDS
    )
