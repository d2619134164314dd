"""Messages of the evaluation queues: one asks for another look at one cluster."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import InvalidEventError
from emr_autoscaler.messages.envelope import ClusterId


class EvaluationRequest(BaseModel):
    """One request, as adapters/evaluation_queue.py writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cluster_id: ClusterId
    kind: DecisionKind
    requested_at: AwareDatetime
    cause: str


def read_evaluation(body: str) -> EvaluationRequest:
    """Read the body of a queue message.

    Raises:
        InvalidEventError: It cannot be read; names the field.
    """
    try:
        return EvaluationRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"]) or "body"
        msg = f"malformed evaluation request: {field}: {first['msg']}"
        raise InvalidEventError(msg) from error
