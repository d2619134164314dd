"""Evaluation requests on FIFO queues: the cluster is the message group, a minute's requests are one."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.domain.decision import DecisionKind

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsEvaluationQueue:
    """Implements ``ports.EvaluationQueue``.

    Args:
        client: SQS.
        queue_urls: The FIFO queue of each kind that can be asked for: TASK and CORE.
    """

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("sqs:SendMessage",), "ask for another look at a cluster"),
    )

    def __init__(self, client: "SQSClient", queue_urls: Mapping[DecisionKind, str]) -> None:
        self._client = client
        self._queue_urls = dict(queue_urls)

    def request(self, cluster_id: str, kind: DecisionKind, *, now: datetime, cause: str) -> None:
        """Queue an evaluation; a second one for the same cluster and minute is dropped by the queue.

        Raises:
            ValueError: There is no queue for this kind of decision.
        """
        queue_url = self._queue_urls.get(kind)
        if queue_url is None:
            msg = f"no evaluation queue takes decisions of kind {kind}"
            raise ValueError(msg)
        at = now.astimezone(UTC)
        body = {
            "cluster_id": cluster_id,
            "kind": str(kind),
            "requested_at": at.isoformat().replace("+00:00", "Z"),
            "cause": cause,
        }
        with domain_errors():
            self._client.send_message(
                QueueUrl=queue_url,
                MessageBody=json.dumps(body),
                MessageGroupId=cluster_id,
                MessageDeduplicationId=f"{cluster_id}-{kind}-{at:%Y%m%dT%H%MZ}",
            )
