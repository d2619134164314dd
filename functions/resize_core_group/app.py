"""Resize a cluster's core group, on HDFS alarms and on queued evaluations."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from emr_autoscaler.bootstrap import routes
from emr_autoscaler.bootstrap.invocation import answer_event, answer_messages


def handler(event: dict[str, Any], context: LambdaContext) -> Any:  # noqa: ANN401 (Lambda takes any JSON)
    """Answer an alarm's change, or a batch of the evaluation queue."""
    if "Records" in event:
        return answer_messages(event, context, routes.evaluate_core_group)
    return answer_event(event, context, routes.resize_core_group)
