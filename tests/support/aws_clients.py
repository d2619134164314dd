"""boto3 clients for tests: no real credentials, no retries unless asked for, models loaded once."""

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

REGION = "us-east-1"


@cache
def _session() -> boto3.Session:
    # Not a secret: nothing checks signatures here.
    return boto3.Session(aws_access_key_id="AKIATEST", aws_secret_access_key="test", region_name=REGION)


def aws_client(service: str, endpoint: str | None = None, *, attempts: int = 1, **options: Any) -> Any:
    """Return a client of one service; the caller closes it."""
    settings: Mapping[str, Any] = {
        "retries": {"mode": "standard", "total_max_attempts": attempts},
        "connect_timeout": 5,
        "read_timeout": 30,
        **options,
    }
    return _session().client(service, endpoint_url=endpoint, config=Config(**settings))
