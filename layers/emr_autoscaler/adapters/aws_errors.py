"""The one place where errors of AWS calls become errors of the domain; no adapter catches ClientError itself.

Stores that give a code a meaning of their own (a failed condition) look at it before they come here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - botocore's name

from emr_autoscaler.domain.errors import AutoscalerError, NotFoundError, RefusedError, UnavailableError

_UNAVAILABLE = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "InternalError",
        "InternalErrorException",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "InternalServiceFault",
        "KMSThrottlingException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TooManyUpdates",
        "TransactionInProgressException",
        "Unavailable",
    }
)

_NOT_FOUND = frozenset(
    {
        "ClusterNotFound",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)

# EMR has no code of its own for an id it does not know: it says so in words, under the two codes it
# uses for every wrong call ("Cluster id 'j-1' is not valid.", "Specified job flow ID does not exist.").
_EMR_WRONG_CALL = frozenset({"InvalidRequestException", "ValidationException", "ValidationError"})
_EMR_UNKNOWN_ID = re.compile(
    r"(?:\b(?:cluster|job\s?flow|instance\s?(?:group|fleet))s?\s?ids?\b|\b(?:j|ig|if)-[0-9A-Z]+\b).*"
    r"(?:not valid|does not exist|do not exist|not found|unknown)",
    re.IGNORECASE | re.DOTALL,
)

_SERVER_FAULT = 500


def code_of(error: ClientError) -> str:
    """Return AWS's error code, empty where the answer carries none."""
    return error.response.get("Error", {}).get("Code", "")


def translate(error: ClientError) -> AutoscalerError:
    """Return the domain error that an AWS error stands for; the message keeps AWS's code and words."""
    details = error.response.get("Error", {})
    return error_for(
        operation=error.operation_name,
        code=details.get("Code", ""),
        message=details.get("Message", ""),
        status=error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0),
    )


def error_for(*, operation: str, code: str, message: str, status: int = 0) -> AutoscalerError:
    """Return the domain error for AWS's code, message and HTTP status (0 where there is none)."""
    text = f"{operation}: {code}: {message}"
    if code in _UNAVAILABLE or status >= _SERVER_FAULT:
        return UnavailableError(text)
    if code in _NOT_FOUND or code.endswith(".NotFound"):
        return NotFoundError(text)
    if code in _EMR_WRONG_CALL and _EMR_UNKNOWN_ID.search(message):
        return NotFoundError(text)
    return RefusedError(text)


@contextmanager
def domain_errors() -> Iterator[None]:
    """Run AWS calls so that what they raise is of the domain's error tree.

    Raises:
        NotFoundError: AWS does not know what was named.
        RefusedError: AWS understood the call and refuses it.
        UnavailableError: Throttled, failing or out of reach for now.
    """
    try:
        yield
    except ClientError as error:
        raise translate(error) from error
    except (ConnectionError, HTTPClientError) as error:
        raise UnavailableError(str(error)) from error
