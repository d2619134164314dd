import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError, ReadTimeoutError

from emr_autoscaler.adapters.aws_errors import code_of, domain_errors, translate
from emr_autoscaler.domain.errors import NotFoundError, RefusedError, UnavailableError


def aws_error(code, message="words", status=400, operation="DescribeCluster"):
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("ThrottlingException", "Rate exceeded", 400, UnavailableError),
        ("Throttling", "Rate exceeded", 400, UnavailableError),
        ("RequestLimitExceeded", "Request limit exceeded.", 503, UnavailableError),
        ("ProvisionedThroughputExceededException", "", 400, UnavailableError),
        ("InternalServerException", "Internal", 500, UnavailableError),
        ("SomethingNew", "broken", 502, UnavailableError),
        ("InvalidRequestException", "Cluster id 'j-1' is not valid.", 400, NotFoundError),
        ("ValidationException", "Specified job flow ID does not exist.", 400, NotFoundError),
        ("InvalidRequestException", "Instance group id 'ig-1' is not valid.", 400, NotFoundError),
        ("ValidationException", "clusterId 'j-1' is not valid.", 400, NotFoundError),
        ("ValidationException", "Instance group ig-1A2B does not exist.", 400, NotFoundError),
        ("ResourceNotFoundException", "Requested resource not found", 400, NotFoundError),
        ("ParameterNotFound", "", 400, NotFoundError),
        ("InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist", 400, NotFoundError),
        ("AWS.SimpleQueueService.NonExistentQueue", "", 400, NotFoundError),
        (
            "ValidationException",
            "Could not shut down one or more job flows since they are termination protected.",
            400,
            RefusedError,
        ),
        (
            "ValidationException",
            "An instance group may only be modified when the cluster is running or waiting",
            400,
            RefusedError,
        ),
        (
            "InvalidRequestException",
            "Instance fleets and instance groups are mutually exclusive.",
            400,
            RefusedError,
        ),
        ("ValidationException", "Instance count -1 is not valid.", 400, RefusedError),
        ("ValidationException", "Instance group type GATEWAY is not valid.", 400, RefusedError),
        ("ValidationException", "Instance group ig-1 is ARRESTED and cannot be resized.", 400, RefusedError),
        ("AccessDeniedException", "User is not authorized", 400, RefusedError),
        ("InvalidParameterValue", "The instance ID does not exist", 400, RefusedError),
    ],
)
def test_each_error_of_aws_is_one_of_the_domain(code, message, status, kind):
    error = translate(aws_error(code, message, status))
    assert type(error) is kind
    assert str(error) == f"DescribeCluster: {code}: {message}"


def test_the_cause_is_kept():
    cause = aws_error("ThrottlingException")
    with pytest.raises(UnavailableError) as raised, domain_errors():
        raise cause
    assert raised.value.__cause__ is cause


@pytest.mark.parametrize(
    "fault",
    [
        EndpointConnectionError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x", error="slow"),
    ],
)
def test_a_service_out_of_reach_is_unavailable_for_now(fault):
    with pytest.raises(UnavailableError), domain_errors():
        raise fault


def test_a_mistake_of_ours_is_not_dressed_up():
    with pytest.raises(ParamValidationError), domain_errors():
        raise ParamValidationError(report="wrong")


def test_an_answer_without_an_error_is_refused_without_a_code():
    error = ClientError({}, "DescribeCluster")
    assert code_of(error) == ""
    assert type(translate(error)) is RefusedError
