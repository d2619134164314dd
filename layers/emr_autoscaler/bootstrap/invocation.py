"""How one invocation runs: read, once, through one route, reported. Failures reach Lambda untouched."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import idempotent_function
from aws_lambda_powertools.utilities.typing import LambdaContext

from emr_autoscaler.adapters.clients import Clients
from emr_autoscaler.adapters.idempotency import event_config, event_store
from emr_autoscaler.bootstrap.aws import AwsPorts
from emr_autoscaler.bootstrap.routes import MessageRoute, Report, Route
from emr_autoscaler.bootstrap.use_cases import UseCases
from emr_autoscaler.messages.evaluations import read_evaluation
from emr_autoscaler.messages.events import Event, read_event
from emr_autoscaler.settings import read_settings


def answer_event(raw: Mapping[str, Any], context: LambdaContext, route: Route) -> Report:
    """Answer one EventBridge event.

    Args:
        raw: The event as Lambda hands it over.
        context: Lambda's context: tells how long a handling in progress may still take.
        route: What to do with an event that was understood.

    Returns:
        What was done, small and JSON: it is also what a redelivery of the same event returns.

    Raises:
        InvalidEventError: Known and malformed: Lambda retries and then keeps it in the dead-letter queue.
    """
    event = read_event(raw)
    if event is None:
        _report("EventIgnored", {"source": raw.get("source"), "detail_type": raw.get("detail-type")})
        return {"ignored": f"{raw.get('source')} {raw.get('detail-type')}"}
    if event.detail.answered_once:
        report, repeated = _answered_once(event, context, route)
    else:
        report = route(event, _use_cases(), event.id)
        repeated = bool(report.get("repeated"))
    fields = {"event_id": event.id, "event": type(event.detail).__name__, **report}
    if repeated:
        _report("EventRepeated", fields)
    else:
        _report("EventAnswered", fields)
    return report


def _answered_once(event: Event, context: LambdaContext, route: Route) -> tuple[Report, bool]:
    """Return what an event led to, and whether that was an earlier delivery of it."""
    config, repeated = event_config(), True
    config.register_lambda_context(context)

    @idempotent_function(  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
        data_keyword_argument="identity", persistence_store=_event_store(), config=config
    )
    def once(*, identity: Mapping[str, str], event: Event) -> Report:
        nonlocal repeated
        repeated = False
        return route(event, _use_cases(), identity["id"])

    report: Report = once(identity={"id": f"{context.function_name}/{event.id}"}, event=event)
    return report, repeated


def answer_messages(
    raw: dict[str, Any], context: LambdaContext, route: MessageRoute
) -> PartialItemFailureResponse:
    """Answer a batch of queue messages; those that fail are delivered again, the others are not."""

    def one(record: SQSRecord) -> Report:
        report = route(read_evaluation(record.body), _use_cases(), record.message_id)
        fields = {"message_id": record.message_id, **report}
        if report.get("repeated"):
            _report("EvaluationRepeated", fields)
        else:
            _report("EvaluationAnswered", fields)
        return report

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event=raw, record_handler=one, processor=processor, context=context)


def _report(what: str, fields: Mapping[str, object]) -> None:
    """Write one log line with fields, and count it by what was decided and why."""
    _logger().info(what, extra={"fields": dict(fields)})
    metrics = _metrics()
    metrics.add_dimension(name="reason", value=str(fields.get("reason", "none")))
    metrics.add_metric(name=what, unit=MetricUnit.Count, value=1)
    if "cluster_id" in fields:
        metrics.add_metadata(key="cluster_id", value=str(fields["cluster_id"]))
    metrics.flush_metrics()


@cache
def _logger() -> Logger:
    return Logger()


@cache
def _metrics() -> Metrics:
    return Metrics()


@cache
def _clients() -> Clients:
    return Clients()


@cache
def _use_cases() -> UseCases:
    return UseCases(AwsPorts(read_settings(os.environ), _clients()))


@cache
def _event_store() -> Any:  # noqa: ANN401 (Powertools' own type is not exported with types)
    return event_store(_clients().dynamodb, read_settings(os.environ).state_table)
