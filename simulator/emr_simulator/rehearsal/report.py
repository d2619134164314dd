"""Prints the summary of a rehearsal for people; the figures are made in summary.py."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from emr_autoscaler.domain.decision import DecisionKind
from emr_simulator.rehearsal.summary import Summary, resizes, to_cents

_HOURS_SHOWN = 12


def print_summary(console: Console, summary: Summary, *, page: Path, missing: Sequence[str]) -> None:
    """Print everything that came of it, and what was missing."""
    _print_resizes(console, summary)
    _print_interruptions(console, summary)
    _print_reaped(console, summary)
    _print_costs(console, summary)
    _print_bills(console, summary)
    console.print(
        f"\nThe timeline, with every decision and its reason: {_short(page)}", soft_wrap=True, highlight=False
    )
    if missing:
        console.print("\nNot everything was seen:", style="bold red")
        for line in missing:
            console.print(f"  {line}", style="red", soft_wrap=True, highlight=False)
    else:
        console.print(
            "\nSeen: task groups out and in, core resized, spot warnings answered, an idle cluster reaped, "
            "a busy one kept, one not opted in left alone, costs recorded and equal to the bill.",
            style="bold green",
            highlight=False,
        )


class _Titled(Table):
    """A plain table under a title that may be wider than the table."""

    def __init__(self, heading: str, *columns: str, right: Sequence[str] = ()) -> None:
        super().__init__(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        self.heading = heading
        for column in columns:
            self.add_column(
                column, justify="right" if column in right else "left", header_style="dim", no_wrap=True
            )

    def print_on(self, console: Console) -> None:
        """Print the title, then the table."""
        console.print(f"\n{self.heading}", style="bold", highlight=False, soft_wrap=True)
        console.print(self)


def _print_resizes(console: Console, summary: Summary) -> None:
    table = _Titled("Resizes, with their reasons", "time", "cluster", "kind", "reason", "ordered")
    table.columns[-1].no_wrap = False
    for kind in (DecisionKind.TASK, DecisionKind.CORE):
        for deed in resizes(summary.deeds, kind):
            table.add_row(f"{deed.at:%H:%M}", deed.cluster, deed.kind, deed.reason, deed.orders)
    table.print_on(console)


def _print_interruptions(console: Console, summary: Summary) -> None:
    table = _Titled(
        "Spot interruptions and their replacements",
        "time",
        "instance",
        "group",
        "answer",
        "ordered",
        "EC2 charge",
    )
    table.columns[-1].no_wrap = False
    for entry in summary.interruptions:
        table.add_row(
            f"{entry.at:%H:%M}",
            entry.ec2_instance_id,
            entry.group or "?",
            entry.answer or "none",
            entry.replacement or "nothing",
            "none: first hour" if entry.is_free else "until it went",
        )
    table.print_on(console)


def _print_reaped(console: Console, summary: Summary) -> None:
    table = _Titled("Reaped", "cluster", "announced", "ended", "reason", "saves USD/h", right=("saves USD/h",))
    for entry in summary.reaped:
        told = f"{entry.announced_at:%H:%M}" if entry.announced_at else "never"
        table.add_row(
            entry.cluster, told, f"{entry.ended_at:%H:%M}", entry.reason, f"{to_cents(entry.usd_per_hour)}"
        )
    table.print_on(console)


def _print_costs(console: Console, summary: Summary) -> None:
    """Print cost by hour and group, as queried from the cost table."""
    hours = sorted({hour for _, _, hour in summary.group_costs})
    shown = hours[:_HOURS_SHOWN]
    columns = [f"{hour:%H}h" for hour in shown]
    title = "Cost by hour and group in USD, queried from DynamoDB"
    if len(hours) > len(shown):
        title += f" (the first {len(shown)} of {len(hours)} hours; sums over all)"
    table = _Titled(title, "cluster", "group", *columns, "sum", right=(*columns, "sum"))
    previous = ""
    for cluster, group in _rows(summary):
        by_hour = {hour: summary.group_costs.get((cluster, group, hour), Decimal(0)) for hour in hours}
        table.add_row(
            cluster if cluster != previous else "",
            group,
            *(f"{to_cents(by_hour[hour])}" if by_hour[hour] else "" for hour in shown),
            f"{to_cents(sum(by_hour.values(), Decimal(0)))}",
        )
        previous = cluster
    table.print_on(console)


def _rows(summary: Summary) -> list[tuple[str, str]]:
    """Return clusters as they were started, with their groups by what they do."""
    clusters = list(dict.fromkeys(cluster for cluster, _, _ in summary.group_costs))
    kinds = ("master", "core", "spot", "on-demand")

    def place(row: tuple[str, str]) -> tuple[int, int, str]:
        cluster, group = row
        kind = next((n for n, kind in enumerate(kinds) if group.startswith(kind)), len(kinds))
        return clusters.index(cluster), kind, group

    return sorted({(cluster, group) for cluster, group, _ in summary.group_costs}, key=place)


def _print_bills(console: Console, summary: Summary) -> None:
    table = _Titled(
        "Recorded, against the simulated AWS's own bill",
        *("cluster", "recorded USD", "bill USD", ""),
        right=("recorded USD", "bill USD"),
    )
    for bill in summary.bills:
        recorded = "" if bill.recorded_usd is None else f"{to_cents(bill.recorded_usd)}"
        verdict = "not opted in, not recorded"
        if bill.recorded_usd is not None:
            verdict = "equal to the cent" if bill.agrees else "DIFFERENT"
        table.add_row(bill.cluster, recorded, f"{to_cents(bill.ledger_usd)}", verdict)
    table.add_row("recorded clusters", f"{to_cents(summary.recorded_usd)}", f"{to_cents(summary.ledger_usd)}", "")
    table.print_on(console)
    hours = ", ".join(
        f"{market.lower().replace('_', ' ')} {quantity:.1f}"
        for market, quantity in sorted(summary.node_hours.items())
    )
    saved = summary.static_usd - summary.recorded_usd
    share = saved / summary.static_usd if summary.static_usd else Decimal(0)
    console.print(
        f"\nNode-hours by market: {hours} ({summary.spot_share:.0%} spot)\n"
        f"A static cluster at the maximum, on demand: {to_cents(summary.static_usd)} USD; "
        f"this: {to_cents(summary.recorded_usd)} USD, {share:.0%} less",
        highlight=False,
    )


def _short(path: Path) -> Path:
    """Return a path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
