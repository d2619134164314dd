"""What a check of an installation says: ok, warning or failed, and what to do. The checks are in other rooms."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from emr_autoscaler.domain.errors import AutoscalerError


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check.

    Attributes:
        check: What was looked at.
        verdict: ok, warning or failed.
        detail: What was seen.
        advice: What to do; empty where nothing is.
    """

    check: str
    verdict: Verdict
    detail: str
    advice: str = ""


def ok(check: str, detail: str) -> Finding:
    """Return that all is well."""
    return Finding(check=check, verdict=Verdict.OK, detail=detail)


def warning(check: str, detail: str, advice: str) -> Finding:
    """Return what is worth a look."""
    return Finding(check=check, verdict=Verdict.WARNING, detail=detail, advice=advice)


def failed(check: str, detail: str, advice: str) -> Finding:
    """Return what does not work."""
    return Finding(check=check, verdict=Verdict.FAILED, detail=detail, advice=advice)


def careful(check: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Run a check; one that AWS refuses or does not answer has failed, and the others go on."""
    try:
        return list(look())
    except AutoscalerError as error:
        return [failed(check, str(error), "see whether the credentials may do this, and whether it exists")]
