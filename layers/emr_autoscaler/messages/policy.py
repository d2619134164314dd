"""Policy documents as operators write them: JSON in, a domain Policy or an error that names the field out."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emr_autoscaler.domain.errors import InvalidPolicyError
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.messages.policy_placement import BoundsDocument, PoolsDocument
from emr_autoscaler.messages.policy_sections import CoreDocument, CostDocument, IdleDocument
from emr_autoscaler.messages.policy_task import ScheduleDocument, TaskDocument

_MESSAGES_SHOWN = 5
_VALUE_SHOWN_CHARS = 40


class PolicyDocument(BaseModel):
    """What an operator decides for the clusters that name this policy."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, title="EMR Autoscaler policy")

    mode: Annotated[
        Mode,
        Field(description="dry_run decides, records and notifies, and changes nothing; live acts."),
    ] = Mode.DRY_RUN
    task: Annotated[TaskDocument, Field(description="How task capacity follows demand.")] = TaskDocument()
    core: Annotated[CoreDocument, Field(description="How core capacity follows HDFS.")] = CoreDocument()
    idle: Annotated[IdleDocument, Field(description="When an idle or overdue cluster is ended.")] = IdleDocument()
    cost: Annotated[CostDocument, Field(description="Assumptions of the cost records.")] = CostDocument()

    def to_domain(self, name: str) -> Policy:
        """Return the policy under its name."""
        return Policy(
            name=name,
            mode=self.mode,
            task=self.task.to_domain(),
            core=self.core.to_domain(),
            idle=self.idle.to_domain(),
            cost=self.cost.to_domain(),
        )


_PARTS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): PolicyDocument,
    ("task",): TaskDocument,
    ("task", "schedules"): ScheduleDocument,
    ("task", "bounds"): BoundsDocument,
    ("task", "pools"): PoolsDocument,
    ("core",): CoreDocument,
    ("idle",): IdleDocument,
    ("cost",): CostDocument,
}


def parse_policy(name: str, text: str) -> Policy:
    """Read a policy document.

    Args:
        name: The policy's name, which is not part of the document.
        text: The JSON document.

    Raises:
        InvalidPolicyError: It cannot be used; each line names a field, what is wrong and the fix.
    """
    try:
        json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_refuse_constant)
        return PolicyDocument.model_validate_json(text).to_domain(name)
    except ValidationError as error:
        lines = [_explain(dict(details)) for details in error.errors(include_url=False)]
        more = len(lines) - _MESSAGES_SHOWN
        shown = lines[:_MESSAGES_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        msg = f"policy {name!r}: " + "; ".join(shown)
        raise InvalidPolicyError(msg) from error
    except json.JSONDecodeError as error:
        msg = f"policy {name!r}: not JSON at line {error.lineno} column {error.colno}: {error.msg}"
        raise InvalidPolicyError(msg) from error
    except ValueError as error:
        msg = f"policy {name!r}: {error}"
        raise InvalidPolicyError(msg) from error


def _explain(details: Mapping[str, Any]) -> str:
    location: tuple[str | int, ...] = details["loc"]
    path = _path(location)
    if details["type"] == "extra_forbidden":
        part = _PARTS.get(tuple(step for step in location[:-1] if isinstance(step, str)), PolicyDocument)
        known = [field.alias or name for name, field in part.model_fields.items()]
        near = get_close_matches(str(location[-1]), known, n=1)
        fix = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        return f"{path}: there is no such field; {fix}"
    if details["type"] == "missing":
        return f"{path}: is needed"
    message = str(details["msg"]).removeprefix("Value error, ")
    if isinstance(details["input"], dict | list):
        return f"{path}: {message}"
    return f"{path}: {message}; it is {json.dumps(details['input'])[:_VALUE_SHOWN_CHARS]}"


def _path(location: Sequence[str | int]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".") or "document"


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            msg = f"{name}: stands twice in one object; keep one"
            raise ValueError(msg)
    return dict(pairs)


def _refuse_constant(constant: str) -> float:
    msg = f"{constant} is not a JSON number; write a number"
    raise ValueError(msg)
