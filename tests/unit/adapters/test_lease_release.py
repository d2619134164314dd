"""What becomes of a lease when DynamoDB repeats, refuses or throttles the calls around it."""

import pytest
from tests.support.backends import aws_client, open_backend

from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.adapters.lease_store import DynamoLeases
from emr_autoscaler.domain.errors import RefusedError, UnavailableError


class TroubledTable(Table):
    puts = 1
    on_delete: Exception | None = None

    def put(self, item, *, condition="", values=None):
        for _ in range(self.puts):
            super().put(item, condition=condition, values=values)

    def delete(self, pk, sk, *, condition, values):
        if self.on_delete is not None:
            raise self.on_delete
        super().delete(pk, sk, condition=condition, values=values)


@pytest.fixture
def troubled():
    with open_backend("moto") as backend:
        table = TroubledTable(aws_client("dynamodb"), backend.state_table.name)
        yield table, DynamoLeases(table, backend.clock)


def test_a_call_that_the_sdk_repeats_still_takes_the_lease(troubled):
    table, leases = troubled
    table.puts = 2

    with leases.hold("j-1", owner="a"):
        pass


def test_a_throttled_release_does_not_fail_the_work_that_was_done(troubled):
    table, leases = troubled
    table.on_delete = UnavailableError("throttled")

    with leases.hold("j-1", owner="a"):
        pass


def test_a_release_without_permission_is_told(troubled):
    table, leases = troubled
    table.on_delete = RefusedError("AccessDenied")

    with pytest.raises(RefusedError), leases.hold("j-1", owner="a"):
        pass
