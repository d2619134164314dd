"""End idle and overdue clusters, in two phases."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from emr_autoscaler.bootstrap import routes
from emr_autoscaler.bootstrap.invocation import answer_event


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return answer_event(event, context, routes.reap_idle_clusters)
