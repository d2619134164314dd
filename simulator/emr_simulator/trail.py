"""What CloudTrail tells of calls that change clusters, and who made them; the calls themselves are in emr.py."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from emr_simulator.engine import to_moment
from emr_simulator.kernel import Kernel

DELAY_SECONDS = 60
"""From a call to its event on the bus; AWS speaks of five minutes on average, and it is often less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: a session of a role.

    Attributes:
        role: Name of the role.
        session: Name of the session: a person's, or a function's.
    """

    role: str
    session: str


OPERATOR = Caller(role="DataPlatformOps", session="anna")
"""Who calls where nobody else is named."""


class Trail:
    """Records calls, where the settings ask for it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._caller = OPERATOR

    @contextmanager
    def calling_as(self, caller: Caller) -> Iterator[None]:
        """Let the calls inside the ``with`` block be somebody's."""
        before, self._caller = self._caller, caller
        try:
            yield
        finally:
            self._caller = before

    def record(self, operation: str, request: Mapping[str, Any]) -> None:
        """Send AWS API Call via CloudTrail, a little later; parameters in CloudTrail's camel case."""
        kernel = self._kernel
        if not kernel.settings.cloudtrail:
            return
        settings, caller, at = kernel.settings, self._caller, to_moment(kernel.now)
        detail = {
            "eventVersion": "1.09",
            "userIdentity": {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{settings.account_id}:assumed-role/{caller.role}/{caller.session}",
                "accountId": settings.account_id,
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "arn": f"arn:aws:iam::{settings.account_id}:role/{caller.role}",
                        "accountId": settings.account_id,
                        "userName": caller.role,
                    }
                },
            },
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": "elasticmapreduce.amazonaws.com",
            "eventName": operation,
            "awsRegion": settings.region,
            "requestParameters": dict(request),
            "responseElements": None,
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": settings.account_id,
        }
        send = partial(kernel.emit, "AWS API Call via CloudTrail", "aws.elasticmapreduce", detail)
        kernel.engine.after(DELAY_SECONDS, send)
