"""CloudTrail as doctor sees it: which trails bring operators' calls, read from moto and from stubbed refusals."""

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from tests.support.installations import FakeAccount, Rehearsal

from emr_autoscaler.domain.errors import RefusedError
from emr_autoscaler_cli.trails import EMR_SOURCE, TRAIL_ACTIONS, Trail, read_trails

READ_ONLY = [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]
DATA_ONLY = [{"ReadWriteType": "All", "IncludeManagementEvents": False}]
KEYS = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "test"}


@pytest.fixture
def session():
    """A session on moto."""
    with mock_aws():
        yield boto3.Session(**KEYS, region_name="eu-west-1")


def make_trail(session, name: str = "all", *, logging: bool = True, home: str = "eu-west-1", **options) -> None:
    session.client("s3", region_name="us-east-1").create_bucket(Bucket=f"{name}-bucket")
    client = session.client("cloudtrail", region_name=home)
    client.create_trail(Name=name, S3BucketName=f"{name}-bucket", **options)
    if logging:
        client.start_logging(Name=name)


def select(session, name: str, **selectors) -> None:
    session.client("cloudtrail").put_event_selectors(TrailName=name, **selectors)


def test_a_trail_that_logs_management_events_delivers(session) -> None:
    make_trail(session)
    select(session, "all", EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True}])
    assert read_trails(session) == (Trail(name="all", is_logging=True, records_calls=True),)
    assert read_trails(session)[0].delivers


def test_a_trail_of_all_regions_is_read_at_its_home(session) -> None:
    make_trail(session, home="us-east-1", IsMultiRegionTrail=True)
    client = session.client("cloudtrail", region_name="us-east-1")
    client.put_event_selectors(
        TrailName="all", EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
    )
    assert [trail.delivers for trail in read_trails(session)] == [True]


def test_no_trail_is_an_empty_answer(session) -> None:
    assert read_trails(session) == ()


@pytest.mark.parametrize(
    ("logging", "selectors"), [(False, None), (True, READ_ONLY), (True, DATA_ONLY)], ids=["off", "reads", "data"]
)
def test_a_trail_that_is_off_or_records_other_things_does_not(session, logging, selectors) -> None:
    make_trail(session, logging=logging)
    select(session, "all", EventSelectors=selectors or [{"ReadWriteType": "All", "IncludeManagementEvents": True}])
    assert [trail.delivers for trail in read_trails(session)] == [False]


def management(*fields):
    return [{"Name": "x", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, *fields]}]


@pytest.mark.parametrize(
    ("selectors", "delivers"),
    [
        (management(), True),
        (management({"Field": "readOnly", "Equals": ["false"]}), True),
        (management({"Field": "readOnly", "Equals": ["true"]}), False),
        (management({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}), True),
        (management({"Field": "eventSource", "NotEquals": [EMR_SOURCE]}), False),
        (management({"Field": "eventSource", "NotStartsWith": ["elastic"]}), False),
        ([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}], False),
    ],
    ids=["all", "writes", "reads", "all but kms", "all but emr", "no elastic", "data"],
)
def test_advanced_selectors_are_read_field_by_field(session, selectors, delivers) -> None:
    make_trail(session)
    select(session, "all", AdvancedEventSelectors=selectors)
    assert [trail.delivers for trail in read_trails(session)] == [delivers]


class OneClient:
    """A session with one client, stubbed."""

    def __init__(self) -> None:
        self.made = boto3.Session(**KEYS, region_name="eu-west-1").client("cloudtrail")
        self.stub = Stubber(self.made)
        self.stub.activate()

    def client(self, service: str, **options: str):
        return self.made


def test_a_trail_that_may_not_be_read_is_kept_with_the_reason() -> None:
    session = OneClient()
    arn = "arn:aws:cloudtrail:eu-west-1:999999999999:trail/organisation"
    session.stub.add_response("describe_trails", {"trailList": [{"Name": "organisation", "TrailARN": arn}]})
    session.stub.add_client_error("get_trail_status", "AccessDeniedException", "no")
    (trail,) = read_trails(session)
    assert "AccessDeniedException" in trail.unreadable
    assert not trail.delivers


def test_trails_that_may_not_be_listed_are_refused() -> None:
    session = OneClient()
    session.stub.add_client_error("describe_trails", "AccessDeniedException", "no")
    with pytest.raises(RefusedError):
        read_trails(session)


class Closed(FakeAccount):
    """An account whose trails may not be listed."""

    def trails(self):
        raise RefusedError("DescribeTrails: AccessDeniedException: no")


@pytest.fixture(scope="module")
def rehearsal() -> Rehearsal:
    return Rehearsal()


def examine(run, rehearsal: Rehearsal, account: FakeAccount):
    account.book = rehearsal.account.book
    rehearsal.account = account
    result = run("doctor", "--json", on=rehearsal)
    (found,) = [c for c in result.json["checks"] if c["check"] == "CloudTrail"]
    return result.code, found


def test_a_missing_trail_is_a_warning_with_the_fix_and_no_failure(run, rehearsal) -> None:
    code, found = examine(run, rehearsal, FakeAccount(trail_book=()))
    assert (code, found["verdict"]) == (0, "warning")
    assert "docs/deployment.md, CloudTrail" in found["advice"]


def test_a_trail_that_is_off_is_named_with_the_command_that_starts_it(run, rehearsal) -> None:
    _, found = examine(run, rehearsal, FakeAccount(trail_book=(Trail(name="audit", records_calls=True),)))
    assert found["verdict"] == "warning"
    assert found["advice"] == "aws cloudtrail start-logging --name audit"


def test_one_good_trail_is_enough(run, rehearsal) -> None:
    book = (Trail(name="theirs", unreadable="no"), Trail(name="ours", is_logging=True, records_calls=True))
    _, found = examine(run, rehearsal, FakeAccount(trail_book=book))
    assert found["verdict"] == "ok"
    assert "ours" in found["detail"]


@pytest.mark.parametrize(
    "account", [Closed(), FakeAccount(trail_book=(Trail(name="theirs", unreadable="AccessDeniedException"),))]
)
def test_lacking_permissions_are_said_and_are_no_failure(run, rehearsal, account) -> None:
    code, found = examine(run, rehearsal, account)
    assert (code, found["verdict"]) == (0, "warning")
    assert "AccessDenied" in found["detail"]
    assert all(action in found["advice"] for action in TRAIL_ACTIONS)
