"""What the sections of a policy document share: their base, the bounds of numbers, minutes for durations."""

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

MAX_NODES = 2000
"""No group of EMR is larger than its account's quota; this bounds typing errors, not ambitions."""

InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$")]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=11, decimal_places=4)]


Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
Nodes = Annotated[int, Field(ge=0, le=MAX_NODES)]
S = TypeVar("S")


class Section(BaseModel):
    """A part of a policy document: unknown fields, and types that merely resemble, are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def refuse(wrong: bool, message: str) -> None:  # noqa: FBT001  a guard reads as one
    """Raise ValueError with ``message`` where something is ``wrong``."""
    if wrong:
        raise ValueError(message)


def in_minutes(duration: timedelta) -> float:
    """Return a domain default as documents write it."""
    return duration / timedelta(minutes=1)


def build(section: BaseModel, kind: type[S], **given: Any) -> S:  # noqa: ANN401  any field
    """Build a domain section from the fields of the same names, minutes as durations; ``given`` goes first."""
    values = dict(given)
    for name in (field.name for field in fields(kind)):  # type: ignore[arg-type]  # S is a dataclass
        if name in values:
            continue
        if name in type(section).model_fields:
            values[name] = getattr(section, name)
        else:
            minutes = getattr(section, f"{name}_minutes")
            values[name] = None if minutes is None else timedelta(minutes=minutes)
    return kind(**values)
