import json
import threading
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from botocore.awsrequest import prepare_request_dict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from emr_simulator.apis.operations import OperationTable
from emr_simulator.errors import ApiError
from emr_simulator.wire.dispatch import Dispatcher
from emr_simulator.wire.routing import service_model

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
CBOR = "smithy-rpc-v2-cbor"
PROTOCOLS = [
    ("emr", "json"),
    ("pricing", "json"),
    ("ec2", "ec2"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
    ("cloudwatch", CBOR),
]
CLOUDWATCH_PROTOCOLS = [protocol for service, protocol in PROTOCOLS if service == "cloudwatch"]


class Recorder(OperationTable):
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, **answers):
        super().__init__(dict.fromkeys(answers))
        self.answers = answers
        self.asked = []

    def call(self, operation, parameters):
        self.asked.append((operation, parameters))
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer


def dispatcher(service, recorder):
    return Dispatcher({service: recorder}, threading.RLock())


def call(dispatch, service, protocol, operation, parameters):
    """Call as boto3 does: botocore's own serializer and parser, without its own checks."""
    model = service_model(service).operation_model(operation)
    request = create_serializer(protocol, include_validation=False).serialize_to_request(parameters, model)
    prepare_request_dict(request, endpoint_url="http://127.0.0.1")
    body = request["body"]
    if isinstance(body, dict):
        body = urlencode(body).encode()
    headers = {name.lower(): value for name, value in request["headers"].items()}
    answer = dispatch.answer(request["url_path"], headers, body)
    parsed = create_parser(protocol).parse(
        {
            "status_code": answer.status,
            "headers": {name.lower(): value for name, value in answer.headers.items()},
            "body": answer.body,
        },
        model.output_shape,
    )
    return answer.status, parsed


def error_of(outcome):
    status, parsed = outcome
    return status, parsed["Error"]["Code"]


@pytest.mark.parametrize("protocol", CLOUDWATCH_PROTOCOLS)
def test_every_protocol_of_cloudwatch_carries_requests_and_answers_whole(protocol):
    result = {
        "Id": "m0",
        "Label": "IsIdle",
        "Timestamps": [NOON],
        "Values": [1.0],
        "StatusCode": "Complete",
    }
    recorder = Recorder(GetMetricData={"MetricDataResults": [result]})
    asked = {
        "MetricDataQueries": [
            {
                "Id": "m0",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/ElasticMapReduce",
                        "MetricName": "IsIdle",
                        "Dimensions": [{"Name": "JobFlowId", "Value": "j-1"}],
                    },
                    "Period": 300,
                    "Stat": "Average",
                },
                "ReturnData": True,
            }
        ],
        "StartTime": NOON,
        "EndTime": NOON,
    }

    status, parsed = call(dispatcher("cloudwatch", recorder), "cloudwatch", protocol, "GetMetricData", asked)

    assert status == 200
    assert recorder.asked == [("GetMetricData", asked)]
    assert parsed["MetricDataResults"] == [result]


@pytest.mark.parametrize("protocol", CLOUDWATCH_PROTOCOLS)
def test_an_operation_that_returns_nothing_is_answered_in_every_protocol(protocol):
    recorder = Recorder(DeleteAlarms={})
    status, _ = call(
        dispatcher("cloudwatch", recorder), "cloudwatch", protocol, "DeleteAlarms", {"AlarmNames": ["a", "b"]}
    )
    assert status == 200
    assert recorder.asked == [("DeleteAlarms", {"AlarmNames": ["a", "b"]})]


def test_a_form_of_ec2_is_read_and_its_answer_written():
    instance = {"InstanceId": "i-1", "LaunchTime": NOON, "State": {"Code": 16, "Name": "running"}}
    answer = {"Reservations": [{"ReservationId": "r-1", "Instances": [instance]}], "NextToken": "more"}
    recorder = Recorder(DescribeInstances=answer)
    asked = {"Filters": [{"Name": "tag:x", "Values": ["a", "b"]}], "MaxResults": 5}

    status, parsed = call(dispatcher("ec2", recorder), "ec2", "ec2", "DescribeInstances", asked)

    assert status == 200
    assert recorder.asked == [("DescribeInstances", asked)]
    assert parsed["Reservations"] == answer["Reservations"]
    assert parsed["NextToken"] == "more"


def test_emr_takes_times_and_gives_them_back():
    cluster = {
        "Id": "j-1",
        "Name": "etl",
        "Status": {"State": "WAITING", "Timeline": {"CreationDateTime": NOON}},
    }
    recorder = Recorder(ListClusters={"Clusters": [cluster], "Marker": "j-1"})
    asked = {"ClusterStates": ["WAITING"], "CreatedAfter": NOON}

    code, parsed = call(dispatcher("emr", recorder), "emr", "json", "ListClusters", asked)

    assert code == 200
    assert recorder.asked == [("ListClusters", asked)]
    assert parsed["Clusters"] == [cluster]


@pytest.mark.parametrize(("service", "protocol"), PROTOCOLS)
def test_a_refused_call_comes_back_with_its_code_and_message(service, protocol):
    operation = {
        "emr": "DescribeCluster",
        "pricing": "GetProducts",
        "ec2": "DescribeInstances",
        "cloudwatch": "DescribeAlarms",
    }[service]
    parameters = {"emr": {"ClusterId": "j-1"}, "pricing": {"ServiceCode": "AmazonEC2"}}.get(service, {})
    recorder = Recorder(**{operation: ApiError("ThrottlingException", "Rate exceeded")})
    status, parsed = call(dispatcher(service, recorder), service, protocol, operation, parameters)
    assert status == 400
    assert parsed["Error"]["Code"] == "ThrottlingException"
    assert parsed["Error"]["Message"] == "Rate exceeded"
    assert parsed["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    ("service", "protocol", "operation", "parameters", "code"),
    [
        ("emr", "json", "DescribeCluster", {}, "ValidationException"),
        ("emr", "json", "ListClusters", {"ClusterStates": ["SLEEPING"]}, "ValidationException"),
        ("emr", "json", "TerminateJobFlows", {"JobFlowIds": []}, None),
        (
            "ec2",
            "ec2",
            "DescribeSpotPriceHistory",
            {"InstanceTypes": ["m5.enormous"]},
            "InvalidParameterValue",
        ),
        ("pricing", "json", "GetProducts", {}, "InvalidParameterException"),
        ("cloudwatch", "query", "GetMetricData", {"StartTime": NOON}, "MissingParameter"),
        ("cloudwatch", "json", "GetMetricData", {"StartTime": NOON}, "MissingParameter"),
        ("cloudwatch", CBOR, "GetMetricData", {"StartTime": NOON}, "MissingParameter"),
    ],
)
def test_a_request_that_does_not_fit_the_model_never_reaches_the_world(
    service, protocol, operation, parameters, code
):
    recorder = Recorder(**{operation: {}})
    outcome = call(dispatcher(service, recorder), service, protocol, operation, parameters)
    if code is None:
        assert outcome[0] == 200
    else:
        assert error_of(outcome) == (400, code)
        assert recorder.asked == []


def post_json(dispatch, target, body):
    answer = dispatch.answer("/", {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}, body)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"ClusterId": "j-1", "Colour": "blue"}, "Colour"),
        ({"ClusterId": 7}, "ClusterId"),
        ({"ClusterId": {"Id": "j-1"}}, "ClusterId"),
        ({"ClusterId": None}, "ClusterId"),
        ({"ClusterId": "j" * 20000}, "less than or equal to"),
    ],
)
def test_unknown_members_and_wrong_types_are_named(body, complaint):
    recorder = Recorder(DescribeCluster={})
    status, said = post_json(
        dispatcher("emr", recorder), "ElasticMapReduce.DescribeCluster", json.dumps(body).encode()
    )
    assert (status, said["__type"]) == (400, "ValidationException")
    assert complaint in said["message"]
    assert recorder.asked == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(body):
    status, said = post_json(dispatcher("emr", Recorder(ListClusters={})), "ElasticMapReduce.ListClusters", body)
    assert status == 400
    assert said["__type"] in {"SerializationException", "ValidationException"}


def test_an_unknown_field_of_a_form_is_named():
    recorder = Recorder(DescribeInstances={})
    body = b"Action=DescribeInstances&Version=2016-11-15&Colour=blue&MaxResults=many"
    answer = dispatcher("ec2", recorder).answer("/", {}, body)
    assert answer.status == 400
    assert b"<Code>UnknownParameter</Code>" in answer.body
    assert b"Colour" in answer.body
    assert b"MaxResults" in answer.body
    assert recorder.asked == []


def test_a_body_that_is_no_cbor_is_refused():
    path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms"
    answer = dispatcher("cloudwatch", Recorder(DescribeAlarms={})).answer(path, {}, b"\xff")
    assert answer.status == 400
    assert b"SerializationException" in answer.body


def test_unknown_operations_are_told_from_those_that_are_not_simulated():
    dispatch = dispatcher("emr", Recorder(ListClusters={}))
    assert post_json(dispatch, "ElasticMapReduce.MakeCoffee", b"{}")[1]["__type"] == "UnknownOperationException"
    assert post_json(dispatch, "ElasticMapReduce.ListStudios", b"{}")[1]["__type"] == "UnsupportedOperation"
    ec2 = dispatcher("ec2", Recorder(DescribeInstances={}))
    assert b"InvalidAction" in ec2.answer("/", {}, b"Action=MakeCoffee&Version=2016-11-15").body


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/", {"x-amz-target": "DynamoDB_20120810.PutItem"}, b"{}"),
        ("/service/Granite/operation/DescribeAlarms", {}, b""),
        ("/", {}, b"Action=Publish&Version=2010-03-31"),
        ("/", {}, b"hello"),
        ("/", {}, b"\xff\xfe"),
    ],
)
def test_what_means_no_service_of_the_simulator_is_refused(path, headers, body):
    answer = dispatcher("emr", Recorder(ListClusters={})).answer(path, headers, body)
    assert 400 <= answer.status < 500


@pytest.mark.parametrize(
    "wrong",
    [
        {"Clusters": [{"Id": "j-1", "Colour": "blue"}]},
        {"Clusters": [{"Id": 7}]},
        {"Clusters": [{"Status": {"State": "SLEEPING"}}]},
        {"Clusters": [{"Status": {"Timeline": {"CreationDateTime": datetime(2026, 1, 1)}}}]},  # noqa: DTZ001
        {"Clusters": None},
        {"Clusters": ({"Id": "j-1"},)},
    ],
)
def test_an_answer_that_does_not_fit_the_model_is_a_recorded_fault(wrong):
    dispatch = dispatcher("emr", Recorder(ListClusters=wrong))
    status, said = post_json(dispatch, "ElasticMapReduce.ListClusters", b"{}")
    assert (status, said["__type"]) == (500, "InternalFailure")
    assert len(dispatch.faults) == 1
    assert "ListClusters" in dispatch.faults[0]


def test_a_broken_operation_is_a_recorded_fault():
    dispatch = dispatcher("emr", Recorder(ListClusters=KeyError("oops")))
    assert post_json(dispatch, "ElasticMapReduce.ListClusters", b"{}")[0] == 500
    assert "oops" in dispatch.faults[0]
