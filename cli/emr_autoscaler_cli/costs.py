"""emr-autoscaler costs: recorded costs of a window, from the cost table; adding up is cost_report.py's."""

import argparse
import csv
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from emr_autoscaler.adapters.focus_csv import csv_lines
from emr_autoscaler.domain.cost_history import Correction, MonthClose
from emr_autoscaler.domain.costs import HourRecord, exact_sum
from emr_autoscaler.domain.fair_rounding import rounded
from emr_autoscaler.domain.focus import rows_of_hour
from emr_autoscaler.ports import Costs
from emr_autoscaler.usecases.hour_history import correction_rows, with_instances
from emr_autoscaler_cli.arguments import utc_time
from emr_autoscaler_cli.cost_report import COLUMNS, By, Report, Row, add_up, months
from emr_autoscaler_cli.cost_trace import trace
from emr_autoscaler_cli.failures import DONE, UsageError
from emr_autoscaler_cli.installation import Installation
from emr_autoscaler_cli.output import moment, print_json, print_line, print_table, tell

SHOWN_DECIMALS = 4
TIME_ZONE = "UTC"
_CSV_AMOUNTS = (
    "effective_cost_usd",
    "list_cost_usd",
    "spot_saving_usd",
    "scaling_saving_usd",
    "reaping_saving_usd",
)

EXAMPLES = """\
examples:
  emr-autoscaler costs
  emr-autoscaler costs --from 2026-10-01 --to 2026-11-01 --by cost-centre --format csv > october.csv
  emr-autoscaler costs --cluster j-2AXXXXXXGAPLF --from 2026-10-05 --by component
  emr-autoscaler costs --cost-centre research --by day --format json
  emr-autoscaler costs --from 2026-10-05 --to 2026-10-06 --format focus > focus.csv
  emr-autoscaler costs trace j-2AXXXXXXGAPLF 2026-10-05T13

Times are UTC; the window is half-open and takes whole hours that begin in it; without --from it begins with
this month. An hour is recorded at five past the next one. ESTIMATED is computed from published prices,
RECONCILED is proven by the bill. effective is what is expected to be paid, list the same at on-demand
rates. Amounts in csv and json are exact; those in the table are rounded so that they add up. What scaling and
ending idle clusters saved is estimated against baselines that docs/costs.md states, and none of it twice.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what costs takes."""
    parser.add_argument(
        "question",
        nargs="*",
        metavar="trace CLUSTER HOUR",
        help="trace one cluster-hour (2026-10-05T13) to its instances, prices and revisions",
    )
    parser.add_argument("--cluster", metavar="ID", help="only this cluster")
    parser.add_argument(
        "--cost-centre", metavar="NAME", help="only this cost centre (UNALLOCATED: clusters without)"
    )
    parser.add_argument(
        "--from", dest="start", type=utc_time, metavar="TIME", help="begin (default: of this month)"
    )
    parser.add_argument("--to", dest="end", type=utc_time, metavar="TIME", help="end, not included (default: now)")
    parser.add_argument(
        "--by", type=By, choices=list(By), default=By.CLUSTER, help="what a row stands for (default: cluster)"
    )
    parser.add_argument(
        "--format", choices=["table", "csv", "json", "focus"], default="table", help="(default: table)"
    )


def run(arguments: argparse.Namespace, installation: Installation) -> int:
    """Report costs.

    Raises:
        UsageError: The window is empty.
    """
    if arguments.question:
        cluster_id, hour = _traced(arguments.question)
        return trace(installation, cluster_id, hour, as_json=arguments.json or arguments.format == "json")
    now = installation.ports.clock.now()
    start = arguments.start or now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = arguments.end or now
    if start >= end:
        msg = f"--from: {moment(start)} is not before --to {moment(end)}"
        raise UsageError(msg)
    records = find_records(installation, arguments.cluster, arguments.cost_centre, start, end)
    corrections = find_corrections(installation, arguments.cluster, arguments.cost_centre, start, end)
    if arguments.format == "focus" and not arguments.json:
        within = (record for record in records if start <= record.hour < end)
        return _print_focus(installation.ports.costs, within, corrections)
    report = add_up(records, arguments.by, start, end)
    closed = find_closed_months(installation, start, end)
    if arguments.json or arguments.format == "json":
        told = document(report, cluster=arguments.cluster, cost_centre=arguments.cost_centre)
        closed_months = [{"month": each.month, "closed_at": each.closed_at} for each in closed]
        booked_here = [_correction(each) for each in corrections]
        print_json({**told, "closed_months": closed_months, "corrections": booked_here})
    elif arguments.format == "csv":
        _print_csv(report)
    else:
        _print_table(report)
    if arguments.format == "json" or arguments.json:
        return DONE
    for each in closed:
        tell(f"{each.month} is closed since {moment(each.closed_at)}: later facts are booked as corrections")
    if corrections:
        booked = exact_sum(each.effective_cost_usd for each in corrections)
        tell(
            f"beside these, {len(corrections)} corrections of closed months were booked in this window: "
            f"{booked:f} USD"
        )
    return DONE


def find_records(
    installation: Installation, cluster_id: str | None, cost_centre: str | None, start: datetime, end: datetime
) -> Iterable[HourRecord]:
    """Return the hours of the window, through the index that fits the question."""
    costs, stack = installation.ports.costs, installation.account.stack
    if cluster_id is not None:
        # The window may begin within an hour: the store wants whole ones, the report cuts exactly.
        found = costs.hours_of_cluster(
            stack.account_id,
            stack.region,
            cluster_id,
            start=_hour_of(start),
            end=_hour_of(end) + timedelta(hours=1),
        )
        return [record for record in found if cost_centre is None or record.cost_centre == cost_centre]
    if cost_centre is not None:
        found_months = (costs.hours_of_cost_centre(cost_centre, month) for month in months(start, end))
    else:
        found_months = (costs.hours_of_account(stack.account_id, month) for month in months(start, end))
    return [record for found in found_months for record in found]


def find_corrections(
    installation: Installation, cluster_id: str | None, cost_centre: str | None, start: datetime, end: datetime
) -> list[Correction]:
    """Return the corrections of closed months that were booked in the window."""
    costs, stack = installation.ports.costs, installation.account.stack
    found: list[Correction] = []
    for month in months(start, end):
        if cost_centre is not None:
            found += costs.corrections_of_cost_centre(cost_centre, month)
        else:
            found += costs.corrections_of_account(stack.account_id, month)
    return [
        each
        for each in found
        if start <= each.record.recorded_at < end and cluster_id in {None, each.record.cluster_id}
    ]


def find_closed_months(installation: Installation, start: datetime, end: datetime) -> list[MonthClose]:
    """Return the months of the window whose figures move no more."""
    costs, account_id = installation.ports.costs, installation.account.stack.account_id
    closes = (costs.month_close(account_id, month) for month in months(start, end))
    return [close for close in closes if close is not None]


def document(report: Report, *, cluster: str | None, cost_centre: str | None) -> dict[str, Any]:
    """Return the report as JSON; amounts are exact and strings."""
    names = COLUMNS[report.by]
    return {
        "window": {"from": report.start, "to": report.end, "time_zone": TIME_ZONE},
        "cluster": cluster,
        "cost_centre": cost_centre,
        "by": report.by,
        "currency": "USD",
        "status": report.total.status,
        "cluster_hours": report.cluster_hours,
        "rows": [{**dict(zip(names, row.key, strict=True)), **_amounts(row)} for row in report.rows],
        "total": _amounts(report.total),
    }


def _amounts(row: Row) -> dict[str, Any]:
    return {
        "effective_cost_usd": row.effective_cost_usd,
        "contracted_cost_usd": row.contracted_cost_usd,
        "list_cost_usd": row.list_cost_usd,
        "spot_saving_usd": row.spot_saving_usd,
        "scaling_saving_usd": row.scaling_saving_usd,
        "reaping_saving_usd": row.reaping_saving_usd,
        "status": row.status,
    }


def _correction(correction: Correction) -> dict[str, Any]:
    record = correction.record
    return {
        "cluster_id": record.cluster_id,
        "hour": record.hour,
        "cost_centre": record.cost_centre,
        "booked_in": correction.month,
        "recorded_at": record.recorded_at,
        "revision": record.revision,
        "effective_cost_usd": correction.effective_cost_usd,
    }


def _print_focus(costs: Costs, records: Iterable[HourRecord], corrections: Iterable[Correction]) -> int:
    hours = (row for record in records for row in rows_of_hour(with_instances(costs, record)))
    booked = (row for correction in corrections for row in correction_rows(costs, correction))
    for line in csv_lines(chain(hours, booked)):
        sys.stdout.write(line)
    return DONE


def _traced(question: list[str]) -> tuple[str, datetime]:
    """Read what is to be traced.

    Raises:
        UsageError: It is not "trace CLUSTER HOUR".
    """
    if question[0] != "trace" or len(question) != len(("trace", "CLUSTER", "HOUR")):
        msg = f"{' '.join(question)!r} is not understood; the only question is: trace CLUSTER HOUR"
        raise UsageError(msg)
    text = question[2].strip()
    try:
        hour = utc_time(
            f"{text.removesuffix('Z')}:00Z" if len(text.removesuffix("Z")) == len("2026-10-05T13") else text
        )
    except argparse.ArgumentTypeError as error:
        msg = f"HOUR: {error}"
        raise UsageError(msg) from error
    return question[1], _hour_of(hour)


def _print_csv(report: Report) -> None:
    """Print rows only, so that a spreadsheet may add them up; the rest goes to stderr."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow((*COLUMNS[report.by], *_CSV_AMOUNTS, "status", "from", "to", "time_zone"))
    window = (moment(report.start), moment(report.end), TIME_ZONE)
    for row in report.rows:
        amounts = ("" if (usd := getattr(row, name)) is None else format(usd, "f") for name in _CSV_AMOUNTS)
        writer.writerow((*map(_plain_cell, row.key), *amounts, row.status, *window))
    tell(f"{_heading(report)}: {report.total.effective_cost_usd:f} USD")


def _plain_cell(text: str) -> str:
    """Return a name that no spreadsheet takes for a formula: people choose names of clusters and cost centres."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _print_table(report: Report) -> None:
    effective = rounded([row.effective_cost_usd for row in report.rows], SHOWN_DECIMALS)
    listed = rounded([row.list_cost_usd for row in report.rows], SHOWN_DECIMALS)
    names = [*(name.replace("_", " ") for name in COLUMNS[report.by]), "effective USD", "list USD", "status"]
    rows = [
        [*row.key, f"{paid:f}", f"{at_list:f}", row.status]
        for row, paid, at_list in zip(report.rows, effective, listed, strict=True)
    ]
    keys = len(COLUMNS[report.by])
    total = [
        "total",
        *[""] * (keys - 1),
        f"{sum(effective):.{SHOWN_DECIMALS}f}",
        f"{sum(listed):.{SHOWN_DECIMALS}f}",
        report.total.status if report.rows else "",
    ]
    print_table(names, rows, title=_heading(report), right=["effective USD", "list USD"], total=total)
    if not report.rows:
        print_line("no hour is recorded in this window")
        return
    saved = report.total
    print_line(
        f"saved: {saved.spot_saving_usd:.{SHOWN_DECIMALS}f} USD by spot; estimates: "
        f"{saved.scaling_saving_usd:.{SHOWN_DECIMALS}f} by scaling, {saved.reaping_saving_usd:.{SHOWN_DECIMALS}f} "
        "by ending idle clusters"
    )


def _heading(report: Report) -> str:
    hours = f"{report.cluster_hours} cluster-hour{'' if report.cluster_hours == 1 else 's'}"
    return f"{moment(report.start)} to {moment(report.end)} ({TIME_ZONE}), {hours}, {report.total.status}"


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
