"""What the cost store does when its transaction is repeated, or others write before it does."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from tests.support.backends import aws_client, open_backend
from tests.support.samples import ACCOUNT, REGION, T0, cost_line, hour_record

from emr_autoscaler.adapters.cost_store import DynamoCosts
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.domain.errors import ConflictError, UnavailableError


class RacingTable(Table):
    """Lets a test act just before or after the transaction reaches DynamoDB."""

    before: Callable[[], object] = staticmethod(lambda: None)
    repeats = False

    def transact(self, actions, *, subject):
        self.before()
        super().transact(actions, subject=subject)
        if self.repeats:
            super().transact(actions, subject=subject)


@pytest.fixture
def table() -> Iterator[RacingTable]:
    with open_backend("moto") as backend:
        yield RacingTable(aws_client("dynamodb"), backend.cost_table.name)


def total(costs: DynamoCosts) -> Decimal:
    return costs.month_total("analytics", "2026-10").effective_cost_usd


def test_a_repeated_transaction_moves_the_month_once(table):
    costs = DynamoCosts(table)
    table.repeats = True

    first = costs.put_hour(hour_record(lines=(cost_line("2"),)))
    second = costs.put_hour(hour_record(lines=(cost_line("3"),)))

    assert (first.revision, second.revision) == (1, 2)
    assert total(costs) == 3


def test_an_hour_written_in_between_is_a_conflict_and_stays(table):
    costs, others = DynamoCosts(table), DynamoCosts(Table(aws_client("dynamodb"), table.name))
    table.before = lambda: others.put_hour(hour_record(lines=(cost_line("7"),)))

    with pytest.raises(ConflictError):
        costs.put_hour(hour_record(lines=(cost_line("1"),)))

    assert costs.get_hour(ACCOUNT, REGION, "j-1", T0).effective_cost_usd == 7
    assert total(costs) == 7


def test_the_same_hour_written_by_another_in_between_is_no_conflict(table):
    costs, others = DynamoCosts(table), DynamoCosts(Table(aws_client("dynamodb"), table.name))
    table.before = lambda: others.put_hour(hour_record())

    stored = costs.put_hour(hour_record())

    assert stored.revision == 1
    assert total(costs) == Decimal("1.5")


def test_another_clusters_hour_of_the_same_payer_in_between_is_added_up(table):
    costs, others = DynamoCosts(table), DynamoCosts(Table(aws_client("dynamodb"), table.name))
    interferers = iter(["j-2", "j-3"])
    table.before = lambda: [
        others.put_hour(hour_record(other, lines=(cost_line("10"),)))
        for other in [next(interferers, None)]
        if other
    ]

    costs.put_hour(hour_record(lines=(cost_line("1"),)))

    assert total(costs) == 21


def test_a_month_that_never_stands_still_is_unavailable(table):
    costs, others = DynamoCosts(table), DynamoCosts(Table(aws_client("dynamodb"), table.name))
    clusters = iter(range(2, 100))
    table.before = lambda: others.put_hour(hour_record(f"j-{next(clusters)}"))

    with pytest.raises(UnavailableError, match="its month is being moved by others"):
        costs.put_hour(hour_record())

    assert costs.get_hour(ACCOUNT, REGION, "j-1", T0) is None
