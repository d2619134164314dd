"""What finance may rely on of revisions, closed months and corrections, in memory and on DynamoDB."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.support.samples import ACCOUNT, REGION, T0, billed_instance, cost_line, hour_record

from emr_autoscaler.domain.cost_history import Charge, InstanceCharges, MonthClose
from emr_autoscaler.domain.costs import IdleFigure, RecordStatus

HOUR = timedelta(hours=1)
NOVEMBER = datetime(2026, 11, 3, 9, 5, tzinfo=UTC)
CLOSE = MonthClose(account_id=ACCOUNT, month="2026-10", closed_at=datetime(2026, 11, 2, 6, tzinfo=UTC))


def part(instance_id="i-1", seconds=3600):
    charge = Charge(line=0, seconds=seconds, units=Decimal(1))
    return InstanceCharges(instance=billed_instance(instance_id), charges=(charge,))


def test_an_hour_nobody_wrote_has_no_revisions(backend):
    assert backend.costs.revisions(ACCOUNT, REGION, "j-1", T0) == ()


def test_every_revision_is_kept_with_its_instances(backend):
    first = backend.costs.put_hour(hour_record(), [part("i-1"), part("i-2")])
    second = backend.costs.put_hour(hour_record(lines=(), recorded_at=T0 + HOUR), [part("i-1", 60)])

    found = backend.costs.revisions(ACCOUNT, REGION, "j-1", T0)
    assert [revision.record for revision in found] == [first, second]
    assert found[0].instances == (part("i-1"), part("i-2"))
    assert found[1].instances == (part("i-1", 60),)
    latest = backend.costs.revisions(ACCOUNT, REGION, "j-1", T0, latest_only=True)
    assert [revision.record for revision in latest] == [second]


def test_an_hour_of_two_thousand_instances_is_kept_whole(backend):
    instances = [part(f"i-{number:017x}") for number in range(2000)]
    backend.costs.put_hour(hour_record(), instances)

    (revision,) = backend.costs.revisions(ACCOUNT, REGION, "j-1", T0)
    assert revision.instances == tuple(instances)


def test_revisions_of_one_hour_are_not_those_of_the_next(backend):
    backend.costs.put_hour(hour_record())
    assert backend.costs.revisions(ACCOUNT, REGION, "j-1", T0 + HOUR) == ()


def test_idle_cost_and_proof_move_with_the_month(backend):
    idle = IdleFigure(share=Decimal("0.5"), cost_usd=Decimal("0.75"), basis="12 samples")
    backend.costs.put_hour(hour_record(idle=idle))
    total = backend.costs.month_total("analytics", "2026-10")
    assert (total.idle_cost_usd, total.hours_with_idle, total.hours_reconciled) == (Decimal("0.75"), 1, 0)

    backend.costs.put_hour(hour_record(status=RecordStatus.RECONCILED))
    total = backend.costs.month_total("analytics", "2026-10")
    assert (total.idle_cost_usd, total.hours_with_idle, total.hours_reconciled) == (0, 0, 1)


def test_the_rollups_of_a_month_are_found_together(backend):
    backend.costs.put_hour(hour_record("j-1", cost_centre="research"))
    backend.costs.put_hour(hour_record("j-2", cost_centre="analytics"))
    backend.costs.put_hour(hour_record("j-2", T0 + timedelta(days=31), cost_centre="later"))

    totals = backend.costs.month_totals("2026-10")
    assert [total.cost_centre for total in totals] == ["analytics", "research"]
    assert totals[0] == backend.costs.month_total("analytics", "2026-10")


def test_hours_of_a_day_are_read_without_the_rest_of_the_month(backend):
    for hours in (-1, 0, 5, 24):
        backend.costs.put_hour(hour_record(hour=T0 + hours * HOUR))

    window = {"start": T0, "end": T0 + timedelta(days=1)}
    expected = [T0, T0 + 5 * HOUR]
    assert [r.hour for r in backend.costs.hours_of_account(ACCOUNT, "2026-10", **window)] == expected
    assert [r.hour for r in backend.costs.hours_of_cost_centre("analytics", "2026-10", **window)] == expected
    assert backend.costs.hours_of_account(ACCOUNT, "2026-10", start=T0, end=T0) == ()


def test_a_month_stays_closed_as_it_was_first_closed(backend):
    assert backend.costs.month_close(ACCOUNT, "2026-10") is None
    assert backend.costs.close_month(CLOSE) == CLOSE
    assert backend.costs.close_month(replace(CLOSE, closed_at=NOVEMBER)) == CLOSE
    assert backend.costs.month_close(ACCOUNT, "2026-10") == CLOSE
    assert backend.costs.month_close(ACCOUNT, "2026-11") is None


def test_a_closed_month_takes_a_later_fact_as_a_correction_of_the_open_one(backend):
    kept, wrong, right = cost_line("5"), cost_line("3"), cost_line("1")
    told = backend.costs.put_hour(hour_record(lines=(kept, wrong)))
    closed_total = backend.costs.month_total("analytics", "2026-10")
    backend.costs.close_month(CLOSE)

    stored = backend.costs.put_hour(hour_record(lines=(kept, right), recorded_at=NOVEMBER), [part()])

    assert stored.revision == 2
    assert backend.costs.get_hour(ACCOUNT, REGION, "j-1", T0) == stored
    assert backend.costs.month_total("analytics", "2026-10") == closed_total
    assert backend.costs.hours_of_cost_centre("analytics", "2026-10") == (told,)
    assert backend.costs.hours_of_cluster(ACCOUNT, REGION, "j-1") == (told,)
    (correction,) = backend.costs.corrections_of_cost_centre("analytics", "2026-11")
    assert (correction.reversed_lines, correction.added_lines) == ((wrong,), (right,))
    assert correction.record == stored
    assert backend.costs.corrections_of_account(ACCOUNT, "2026-11") == (correction,)
    november = backend.costs.month_total("analytics", "2026-11")
    assert (november.hours, november.corrections, november.total_usd) == (0, 1, Decimal(-2))
    assert [r.record.revision for r in backend.costs.revisions(ACCOUNT, REGION, "j-1", T0)] == [1, 2]


def test_a_correction_may_be_corrected_and_repeating_it_changes_nothing(backend):
    backend.costs.put_hour(hour_record(lines=(cost_line("5"),)))
    backend.costs.close_month(CLOSE)
    backend.costs.put_hour(hour_record(lines=(cost_line("4"),), recorded_at=NOVEMBER))
    for _ in range(2):
        stored = backend.costs.put_hour(hour_record(lines=(cost_line("2"),), recorded_at=NOVEMBER + HOUR))

    assert stored.revision == 3
    total = backend.costs.month_total("analytics", "2026-11")
    assert (total.corrections, total.correction_usd) == (2, Decimal(-3))


def test_an_hour_missed_until_its_month_was_closed_is_a_correction_as_a_whole(backend):
    backend.costs.close_month(CLOSE)
    for number in (1, 2):
        backend.costs.put_hour(hour_record(lines=(cost_line(number),), recorded_at=NOVEMBER))

    assert backend.costs.hours_of_account(ACCOUNT, "2026-10") == ()
    assert backend.costs.month_total("analytics", "2026-10") is None
    assert backend.costs.get_hour(ACCOUNT, REGION, "j-1", T0).revision == 2
    assert backend.costs.month_total("analytics", "2026-11").total_usd == Decimal(2)


def test_the_payer_of_a_closed_hour_stays(backend):
    backend.costs.put_hour(hour_record(lines=(cost_line("5"),), cost_centre="analytics"))
    backend.costs.close_month(CLOSE)
    backend.costs.put_hour(hour_record(lines=(cost_line("4"),), cost_centre="research", recorded_at=NOVEMBER))

    assert backend.costs.month_total("analytics", "2026-11").total_usd == Decimal(-1)
    assert backend.costs.month_total("research", "2026-11") is None
