"""Refused calls of the World as errors of the domain: by the adapters' own table, so that it cannot drift."""

from collections.abc import Iterator
from contextlib import contextmanager

from emr_autoscaler.adapters.aws_errors import error_for
from emr_simulator.errors import ApiError


@contextmanager
def domain_errors(operation: str) -> Iterator[None]:
    """Run calls on the World so that what they raise is of the domain's error tree."""
    try:
        yield
    except ApiError as error:
        raise error_for(
            operation=operation, code=error.code, message=error.message, status=error.status
        ) from error
