"""Looks at the deployed queues: waits until evaluations are through, takes dead letters."""

import time
from collections.abc import Sequence
from typing import Any

from emr_simulator.local_aws.deployment import Stack
from emr_simulator.local_aws.process import LocalAwsError

EVALUATION_QUEUES = ("TaskEvaluationQueueUrl", "CoreEvaluationQueueUrl")
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_POLL_SECONDS = 0.01


def count_messages(stack: Stack, output: str) -> int:
    """Return how many messages a queue holds, those in flight and delayed included.

    Args:
        stack: The deployed stack.
        output: The template output that carries the queue's address.
    """
    answer = stack.aws.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs[output], AttributeNames=list(_COUNTS)
    )
    return sum(int(answer["Attributes"][name]) for name in _COUNTS)


def hurry_redelivery(stack: Stack, *, seconds: int) -> None:
    """Let the evaluation queues redeliver after ``seconds`` instead of the template's minute and a half.

    An evaluation that finds its cluster busy comes again then. On AWS this may not be shorter than the
    function's timeout; the local AWS runs one batch of a FIFO queue at a time, so nothing is delivered twice.
    """
    for queue in EVALUATION_QUEUES:
        stack.aws.client("sqs").set_queue_attributes(
            QueueUrl=stack.outputs[queue], Attributes={"VisibilityTimeout": str(seconds)}
        )


def drain_queues(stack: Stack, *, queues: Sequence[str] = EVALUATION_QUEUES, timeout_seconds: float = 60.0) -> int:
    """Wait until the evaluation queues hold nothing, waiting or in flight; return how often was looked.

    Raises:
        LocalAwsError: They still hold something after ``timeout_seconds``.
    """
    deadline = time.monotonic() + timeout_seconds
    looks = 0
    while True:
        looks += 1
        left = {queue: count for queue in queues if (count := count_messages(stack, queue))}
        if not left:
            return looks
        if time.monotonic() > deadline:
            msg = f"queues still hold messages after {timeout_seconds:.0f} s: {left}"
            raise LocalAwsError(msg)
        time.sleep(_POLL_SECONDS)


def take_messages(
    stack: Stack, output: str, *, at_least: int = 1, timeout_seconds: float = 30.0
) -> list[dict[str, Any]]:
    """Receive and delete what a queue holds, waiting until there are ``at_least`` messages.

    Raises:
        LocalAwsError: Fewer arrived in time; says how many.
    """
    sqs = stack.aws.client("sqs")
    url = stack.outputs[output]
    taken: list[dict[str, Any]] = []
    deadline = time.monotonic() + timeout_seconds
    while True:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
        for message in found.get("Messages", []):
            taken.append(message)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        if len(taken) >= at_least and not found.get("Messages"):
            return taken
        if time.monotonic() > deadline:
            msg = f"{output}: {len(taken)} of {at_least} messages after {timeout_seconds:.0f} s"
            raise LocalAwsError(msg)
        time.sleep(_POLL_SECONDS)
