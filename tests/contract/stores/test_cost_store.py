"""What finance may rely on of cost hours and their rollups, in memory and on DynamoDB."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.samples import ACCOUNT, REGION, T0, cost_line, hour_record
from tests.support.strategies import amounts, of

from emr_autoscaler.domain.costs import CostLine, MonthTotal, exact_sum

HOUR = timedelta(hours=1)
RELAXED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
fresh = count()


def test_an_hour_nobody_wrote_is_none(backend):
    assert backend.costs.get_hour(ACCOUNT, REGION, "j-1", T0) is None
    assert backend.costs.month_total("analytics", "2026-10") is None


def test_an_hour_reads_back_as_revision_1(backend):
    stored = backend.costs.put_hour(hour_record())

    assert stored == hour_record()
    assert backend.costs.get_hour(ACCOUNT, REGION, "j-1", T0) == stored


def test_the_month_follows_the_hours(backend):
    backend.costs.put_hour(hour_record(lines=(cost_line("1.25"), cost_line("0.75"))))
    backend.costs.put_hour(hour_record(hour=T0 + HOUR, lines=(cost_line("3"),)))

    assert backend.costs.month_total("analytics", "2026-10") == MonthTotal(
        cost_centre="analytics",
        month="2026-10",
        effective_cost_usd=Decimal(5),
        contracted_cost_usd=Decimal(5),
        list_cost_usd=Decimal(10),
        spot_saving_usd=Decimal(5),
        hours=2,
    )


def test_writing_what_is_stored_changes_nothing(backend):
    first = backend.costs.put_hour(hour_record())
    again = backend.costs.put_hour(hour_record(recorded_at=T0 + HOUR, revision=7))

    assert again == first
    assert backend.costs.get_hour(ACCOUNT, REGION, "j-1", T0) == first
    assert backend.costs.month_total("analytics", "2026-10").hours == 1


def test_the_same_amount_written_with_other_zeros_changes_nothing(backend):
    first = backend.costs.put_hour(hour_record(lines=(cost_line(Decimal("1.50")),)))

    assert backend.costs.put_hour(hour_record(lines=(cost_line(Decimal("1.5")),))) == first


def test_later_facts_write_the_next_revision_and_move_the_month_by_the_difference(backend):
    backend.costs.put_hour(hour_record(lines=(cost_line("5"),)))
    restated = backend.costs.put_hour(hour_record(lines=(cost_line("0"),), recorded_at=T0 + HOUR))

    assert restated.revision == 2
    assert backend.costs.get_hour(ACCOUNT, REGION, "j-1", T0) == restated
    total = backend.costs.month_total("analytics", "2026-10")
    assert (total.effective_cost_usd, total.hours) == (Decimal(0), 1)


def test_an_hour_that_changes_payer_moves_both_months(backend):
    backend.costs.put_hour(hour_record(cost_centre="analytics"))
    backend.costs.put_hour(hour_record(cost_centre="research"))

    left = backend.costs.month_total("analytics", "2026-10")
    joined = backend.costs.month_total("research", "2026-10")
    assert (left.effective_cost_usd, left.list_cost_usd, left.hours) == (0, 0, 0)
    assert (joined.effective_cost_usd, joined.list_cost_usd, joined.hours) == (Decimal("1.5"), Decimal(3), 1)


def test_months_are_utc_months(backend):
    backend.costs.put_hour(hour_record(hour=datetime(2026, 10, 31, 23, tzinfo=UTC)))
    backend.costs.put_hour(hour_record(hour=datetime(2026, 11, 1, 0, tzinfo=UTC)))

    assert backend.costs.month_total("analytics", "2026-10").hours == 1
    assert backend.costs.month_total("analytics", "2026-11").hours == 1


def test_a_time_inside_an_hour_is_refused(backend):
    with pytest.raises(ValueError, match="not the start of an hour"):
        backend.costs.put_hour(hour_record(hour=T0 + timedelta(minutes=1)))
    with pytest.raises(ValueError, match="not the start of an hour"):
        backend.costs.get_hour(ACCOUNT, REGION, "j-1", T0.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, [0, 1, 2, 3]),
        (1, None, [1, 2, 3]),
        (None, 2, [0, 1]),
        (1, 3, [1, 2]),
        (0.5, 2.5, [1, 2]),
        (2, 2, []),
        (3, 1, []),
        (9, None, []),
    ],
)
def test_hours_of_a_cluster_are_half_open_and_oldest_first(backend, start, end, expected):
    for number in (2, 0, 3, 1):
        backend.costs.put_hour(hour_record(hour=T0 + number * HOUR))
    backend.costs.put_hour(hour_record("j-10"))

    hours = backend.costs.hours_of_cluster(
        ACCOUNT,
        REGION,
        "j-1",
        start=None if start is None else T0 + start * HOUR,
        end=None if end is None else T0 + end * HOUR,
    )

    assert [record.hour for record in hours] == [T0 + number * HOUR for number in expected]


def test_hours_of_a_cost_centre_and_of_an_account_are_those_of_the_month(backend):
    backend.costs.put_hour(hour_record("j-2", T0 + HOUR))
    backend.costs.put_hour(hour_record("j-1", T0, cost_centre="research"))
    backend.costs.put_hour(hour_record("j-1", T0 + HOUR))
    backend.costs.put_hour(hour_record("j-1", datetime(2026, 11, 1, tzinfo=UTC)))
    backend.costs.put_hour(hour_record("j-3", account_id="999999999999"))

    of_centre = backend.costs.hours_of_cost_centre("analytics", "2026-10")
    of_account = backend.costs.hours_of_account(ACCOUNT, "2026-10")
    assert [(r.cluster_id, r.hour) for r in of_centre] == [
        ("j-3", T0),
        ("j-1", T0 + HOUR),
        ("j-2", T0 + HOUR),
    ]
    assert [(r.cluster_id, r.hour) for r in of_account] == [
        ("j-1", T0),
        ("j-1", T0 + HOUR),
        ("j-2", T0 + HOUR),
    ]
    assert backend.costs.hours_of_cost_centre("nobody", "2026-10") == ()


def test_an_hour_without_lines_is_an_hour_all_the_same(backend):
    stored = backend.costs.put_hour(hour_record(lines=()))

    assert backend.costs.get_hour(ACCOUNT, REGION, "j-1", T0) == stored
    assert backend.costs.month_total("analytics", "2026-10").hours == 1


@settings(max_examples=25, suppress_health_check=RELAXED)
@given(lines=st.lists(of(CostLine), max_size=3).map(tuple))
def test_any_lines_read_back_exactly(backend, lines):
    stored = backend.costs.put_hour(hour_record(f"j-any-{next(fresh)}", lines=lines))

    read = backend.costs.get_hour(ACCOUNT, REGION, stored.cluster_id, T0)
    assert read == stored
    assert read.lines == lines


writes = st.lists(
    st.tuples(
        st.integers(0, 1),  # cluster
        st.integers(0, 2),  # hour
        st.sampled_from(["a", "b"]),  # cost centre
        st.lists(amounts, max_size=2),
    ),
    max_size=10,
)


@settings(max_examples=15, suppress_health_check=RELAXED)
@given(writes=writes)
def test_a_months_total_is_the_sum_of_the_latest_revisions(backend, writes):
    run = next(fresh)
    latest = {}
    touched = set()
    for cluster, hour, centre, costs in writes:
        record = hour_record(
            f"j-{run}-{cluster}",
            T0 + hour * HOUR,
            cost_centre=f"{centre}-{run}",
            lines=tuple(cost_line(cost, list_cost_usd=cost + 1) for cost in costs),
        )
        stored = backend.costs.put_hour(record)
        assert stored == replace(record, revision=stored.revision)
        latest[cluster, hour] = stored
        touched.add(record.cost_centre)

    by_centre = defaultdict(list)
    for record in latest.values():
        by_centre[record.cost_centre].append(record)
    for centre in touched:
        records = by_centre[centre]
        assert backend.costs.month_total(centre, "2026-10") == MonthTotal(
            cost_centre=centre,
            month="2026-10",
            effective_cost_usd=exact_sum(record.effective_cost_usd for record in records),
            contracted_cost_usd=exact_sum(record.contracted_cost_usd for record in records),
            list_cost_usd=exact_sum(record.list_cost_usd for record in records),
            spot_saving_usd=exact_sum(record.spot_saving_usd for record in records),
            hours=len(records),
        )
        assert set(backend.costs.hours_of_cost_centre(centre, "2026-10")) == set(records)
