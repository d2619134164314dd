"""Shows how a rehearsal goes: a live table on a terminal, one plain line each ten virtual minutes elsewhere."""

from collections import deque
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from emr_simulator.rehearsal.timeline import ClusterMoment, Moment

_LINE_EVERY_MINUTES = 10
_REMEMBERED = 6


class Progress(Protocol):
    """What the driver tells while it plays."""

    def show(self, moment: Moment) -> None:
        """Take in how the world stands; comes every virtual minute."""
        ...

    def tell(self, at: datetime, text: str) -> None:
        """Take in something that happened."""
        ...


class LiveProgress:
    """A table that is drawn anew; where the console is no terminal, plain lines instead.

    Args:
        console: Where it is shown.
        watched: Name of the cluster whose figures the plain lines give.
    """

    def __init__(self, console: Console, watched: str) -> None:
        self._console = console
        self._watched = watched
        self._moment: Moment | None = None
        self._news: deque[str] = deque(maxlen=_REMEMBERED)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._console.is_terminal:
            self._live = Live(
                console=self._console, get_renderable=self._draw, refresh_per_second=4, transient=True
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, moment: Moment) -> None:
        """Draw the world as it stands."""
        self._moment = moment
        if self._live is None and moment.at.minute % _LINE_EVERY_MINUTES == 0:
            self._print(plain_line(moment, self._watched))

    def tell(self, at: datetime, text: str) -> None:
        """Show something that happened."""
        self._add(f"{at:%H:%M}  {text}")

    def _add(self, news: str) -> None:
        self._news.append(news)
        if self._live is None:
            self._print(f"       {news}")

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)

    def _draw(self) -> RenderableType:
        if self._moment is None:
            return Text("the clusters are being started ...")
        return Group(clusters_table(self._moment), Text("\n".join(self._news), style="dim"))


def plain_line(moment: Moment, watched: str) -> str:
    """Return one line about the watched cluster and the money spent."""
    cluster = moment.clusters[watched]
    return (
        f"{moment.at:%H:%M}  {watched}: core {cluster.running('CORE')}/{cluster.wanted('CORE')}, "
        f"task {cluster.running('TASK')}/{cluster.wanted('TASK')} nodes running/wanted, "
        f"{cluster.pending_containers} containers waiting, HDFS {cluster.hdfs_used_percent:.0f} %; "
        f"spent {moment.spent_usd:.2f} USD"
    )


def clusters_table(moment: Moment) -> Table:
    """Return every cluster with its nodes, its work and the money."""
    table = Table(
        title=f"{moment.at:%A %H:%M} virtual time    spent so far {moment.spent_usd:.2f} USD",
        title_justify="left",
    )
    for column in ("cluster", "state", "group"):
        table.add_column(column)
    for column in ("running", "wanted", "GiB in use", "GiB waiting", "HDFS"):
        table.add_column(column, justify="right")
    for name, cluster in moment.clusters.items():
        _add_rows(table, name, cluster)
    return table


def _add_rows(table: Table, name: str, cluster: ClusterMoment) -> None:
    figures = (
        f"{cluster.allocated_gib:.0f}",
        f"{cluster.pending_gib:.0f}",
        f"{cluster.hdfs_used_percent:.0f} %",
    )
    for number, group in enumerate(cluster.groups):
        first = number == 0
        style = "yellow" if group.running != group.wanted else ""
        table.add_row(
            name if first else "",
            cluster.state if first else "",
            group.label,
            Text(str(group.running), style=style),
            str(group.wanted),
            *(figures if first else ("", "", "")),
        )
