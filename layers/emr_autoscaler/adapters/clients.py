"""The boto3 clients, each made when it is first needed: making one is most of a cold start."""

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_emr import EMRClient
    from mypy_boto3_pricing import PricingClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

PRICE_LIST_REGION = "us-east-1"
"""The price list is served from us-east-1 and ap-south-1 only."""

CONFIG = Config(
    connect_timeout=3,
    read_timeout=15,
    retries={"mode": "standard", "max_attempts": 4},
    user_agent_extra="emr-autoscaler",
)
"""Four attempts with back-off stay well within a function's minute; what still fails is retried whole."""


class Clients:
    """Clients of one process.

    Args:
        session: Whose region and credentials they take; None takes those of the environment.
    """

    def __init__(self, session: "boto3.Session | None" = None) -> None:
        self._session = session or boto3.Session()

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch."""
        return self._session.client("cloudwatch", config=CONFIG)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return self._session.client("dynamodb", config=CONFIG)

    @cached_property
    def ec2(self) -> "EC2Client":
        """EC2."""
        return self._session.client("ec2", config=CONFIG)

    @cached_property
    def emr(self) -> "EMRClient":
        """EMR."""
        return self._session.client("emr", config=CONFIG)

    @cached_property
    def pricing(self) -> "PricingClient":
        """The price list, in the region that serves it."""
        return self._session.client("pricing", region_name=PRICE_LIST_REGION, config=CONFIG)

    @cached_property
    def s3(self) -> "S3Client":
        """S3: finance's files and AWS's bill."""
        return self._session.client("s3", config=CONFIG)

    @cached_property
    def sns(self) -> "SNSClient":
        """SNS."""
        return self._session.client("sns", config=CONFIG)

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return self._session.client("sqs", config=CONFIG)

    @cached_property
    def ssm(self) -> "SSMClient":
        """Parameter Store."""
        return self._session.client("ssm", config=CONFIG)
