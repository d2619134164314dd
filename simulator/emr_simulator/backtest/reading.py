"""Recordings from files, JSON or CSV (docs/backtest.md): everything that is wrong is named by row and field."""

import csv
import io
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from statistics import mode
from typing import Any, NoReturn

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.fleets import FleetType
from emr_autoscaler.domain.metrics import MetricName
from emr_simulator.backtest.recording import (
    FORMAT,
    NEEDED,
    TIME,
    RecordedFleet,
    RecordedGroup,
    Recording,
    Sample,
    iso,
)
from emr_simulator.errors import RecordingError

MINUTE = timedelta(minutes=1)
LONGEST_PERIOD = timedelta(hours=1)
_GROUP_FIELDS = ("role", "market", "instance_type")
_FLEET_FIELDS = ("role", "types", "on_demand_units", "spot_units")
_KEYS = ("format", "cluster_id", "groups", "fleets", "columns", "rows")


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    cells: Sequence[object]


@dataclass(frozen=True, slots=True)
class _Placed:
    where: str
    sample: Sample


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one file; every complaint carries its name."""

    path: str

    def refuse(self, problem: str, *, row: str = "", field: str = "") -> NoReturn:
        raise RecordingError(path=self.path, row=row, field=field, problem=problem)

    def read_csv(self, text: str, instance_type: str | None) -> Recording:
        rows = csv.reader(io.StringIO(text), strict=True)
        try:
            lines = [(rows.line_num, cells) for cells in rows if cells]
        except csv.Error as error:
            self.refuse(f"not CSV: {error}", row=f"line {rows.line_num}")
        if not lines:
            self.refuse("is empty")
        if instance_type is None:
            self.refuse("a CSV does not say what the nodes are: name their type with --instance-type")
        (number, columns), *body = lines
        samples = self._samples(
            [name.strip() for name in columns],
            (_Row(f"line {line}", cells) for line, cells in body),
            row=f"line {number}",
        )
        return self._recording(Path(self.path).stem, groups_of(instance_type), samples)

    def read_json(self, text: str, instance_type: str | None) -> Recording:
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            self.refuse(f"not JSON: {error.msg}", row=f"line {error.lineno}")
        if not isinstance(document, dict):
            self.refuse("a JSON object is expected")
        unknown = [key for key in document if key not in _KEYS]
        if unknown:
            self.refuse(f"there is no such key; known are {', '.join(_KEYS)}", field=unknown[0])
        if document.get("format") != FORMAT:
            self.refuse(f"{FORMAT!r} is expected", field="format")
        told = [key for key in ("groups", "fleets") if key in document]
        if told and instance_type is not None:
            self.refuse("says what the nodes are: leave --instance-type out", field=told[0])
        if len(told) > 1:
            self.refuse("a cluster has groups or fleets, never both", field="fleets")
        fleets = self._fleets(document["fleets"]) if told == ["fleets"] else ()
        groups = groups_of(instance_type) if instance_type else ()
        if not (fleets or groups):
            groups = self._groups(document.get("groups"))
        columns, rows = document.get("columns"), document.get("rows")
        if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
            self.refuse("a list of names is expected", field="columns")
        if not isinstance(rows, list):
            self.refuse("a list of rows is expected", field="rows")
        samples = self._samples(columns, self._rows(rows), row="")
        cluster_id = document.get("cluster_id", Path(self.path).stem)
        if not isinstance(cluster_id, str):
            self.refuse("a text is expected", field="cluster_id")
        return replace(self._recording(cluster_id, groups, samples), fleets=fleets)

    def _rows(self, rows: Iterable[Any]) -> Iterator[_Row]:
        for index, cells in enumerate(rows):
            where = f"rows[{index}]"
            if not isinstance(cells, list):
                self.refuse("a list of values is expected", row=where)
            yield _Row(where, cells)

    def _groups(self, entries: object) -> tuple[RecordedGroup, ...]:
        if not isinstance(entries, list):
            self.refuse("a list of groups is expected, or --instance-type on the command line", field="groups")
        groups = []
        for index, entry in enumerate(entries):
            row = f"groups[{index}]"
            if not isinstance(entry, dict) or set(entry) != set(_GROUP_FIELDS):
                self.refuse(f"an object of {', '.join(_GROUP_FIELDS)} is expected", row=row)
            for name, kind in (("role", Role), ("market", Market)):
                words = [word.value for word in kind]
                if entry[name] not in words:
                    self.refuse(f"{entry[name]!r} is not one of {', '.join(words)}", row=row, field=name)
            if not isinstance(entry["instance_type"], str) or not entry["instance_type"]:
                self.refuse("a type like m5.xlarge is expected", row=row, field="instance_type")
            groups.append(
                RecordedGroup(
                    role=Role(entry["role"]), market=Market(entry["market"]), instance_type=entry["instance_type"]
                )
            )
        return tuple(dict.fromkeys(group for group in groups if group.role is not Role.MASTER))

    def _fleets(self, entries: object) -> tuple[RecordedFleet, ...]:
        if not isinstance(entries, list) or not entries:
            self.refuse("a list of fleets is expected", field="fleets")
        fleets: list[RecordedFleet] = []
        for index, entry in enumerate(entries):
            row = f"fleets[{index}]"
            if not isinstance(entry, dict) or set(entry) != set(_FLEET_FIELDS):
                self.refuse(f"an object of {', '.join(_FLEET_FIELDS)} is expected", row=row)
            words = [Role.CORE.value, Role.TASK.value]
            if entry["role"] not in words or entry["role"] in [fleet.role.value for fleet in fleets]:
                problem = f"{entry['role']!r} is not one of {', '.join(words)}, each once"
                self.refuse(problem, row=row, field="role")
            types = entry["types"]
            if not isinstance(types, dict) or not types or "" in types:
                self.refuse('units by type are expected, like {"m5.xlarge": 1}', row=row, field="types")
            units = {f"types.{name}": (count, 1) for name, count in types.items()}
            units |= {name: (entry[name], 0) for name in ("on_demand_units", "spot_units")}
            for name, (count, least) in units.items():
                if not isinstance(count, int) or isinstance(count, bool) or count < least:
                    self.refuse(f"a whole number of at least {least} is expected", row=row, field=name)
            fleets.append(
                RecordedFleet(
                    role=Role(entry["role"]),
                    types=tuple(FleetType(instance_type=name, units=count) for name, count in types.items()),
                    on_demand_units=entry["on_demand_units"],
                    spot_units=entry["spot_units"],
                )
            )
        return tuple(fleets)

    def _samples(self, columns: Sequence[str], rows: Iterable[_Row], *, row: str) -> list[_Placed]:
        self._check_columns(columns, row)
        names = [None if name == TIME else MetricName(name) for name in columns]
        samples: list[_Placed] = []
        for entry in rows:
            if len(entry.cells) != len(columns):
                self.refuse(f"{len(columns)} values expected, {len(entry.cells)} found", row=entry.where)
            at = self._time(entry.cells[columns.index(TIME)], entry.where)
            if samples and at <= samples[-1].sample.at:
                problem = f"{iso(at)} is not after the row above ({iso(samples[-1].sample.at)})"
                self.refuse(problem, row=entry.where, field=TIME)
            values = {}
            for name, cell in zip(names, entry.cells, strict=True):
                if name is not None and cell is not None and cell != "":
                    values[name] = self._number(cell, entry.where, name)
            samples.append(_Placed(entry.where, Sample(at=at, values=values)))
        return samples

    def _check_columns(self, columns: Sequence[str], row: str) -> None:
        known = [TIME, *MetricName]
        for index, name in enumerate(columns):
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"needed are {TIME}, {', '.join(NEEDED)}"
                self.refuse(f"there is no such column; {hint}", row=row, field=repr(name))
            if name in columns[:index]:
                self.refuse("stands twice", row=row, field=name)
        for name in (TIME, *NEEDED):
            if name not in columns:
                self.refuse("this column is missing", row=row, field=name)

    def _time(self, cell: object, row: str) -> datetime:
        try:
            at = datetime.fromisoformat(str(cell).strip())
        except ValueError:
            self.refuse(f"{cell!r} is not a time like 2026-10-05T13:00:00Z", row=row, field=TIME)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)

    def _number(self, cell: object, row: str, name: MetricName) -> float:
        try:
            value = float(cell) if isinstance(cell, str | int | float) and not isinstance(cell, bool) else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            self.refuse(f"a number of at least 0 is expected, {cell!r} found", row=row, field=name.value)
        return value

    def _recording(
        self, cluster_id: str, groups: tuple[RecordedGroup, ...], placed: Sequence[_Placed]
    ) -> Recording:
        if len(placed) < 2:  # noqa: PLR2004 (an interval has two ends)
            self.refuse(f"at least 2 samples are needed, {len(placed)} found")
        times = [entry.sample.at for entry in placed]
        steps = [later - earlier for earlier, later in itertools.pairwise(times)]
        period = mode(steps)
        if period % MINUTE or not MINUTE <= period <= LONGEST_PERIOD:
            problem = f"samples {period} apart; whole minutes up to an hour are expected"
            self.refuse(problem, row=placed[steps.index(period) + 1].where, field=TIME)
        for index, step in enumerate(steps):
            if step % period:
                problem = f"{iso(times[index + 1])} is not on the grid of {period} that the other times keep"
                self.refuse(problem, row=placed[index + 1].where, field=TIME)
        samples = tuple(entry.sample for entry in placed)
        return Recording(source=self.path, cluster_id=cluster_id, period=period, groups=groups, samples=samples)


def read_recording(path: Path, *, instance_type: str | None = None) -> Recording:
    """Read a recording: CSV where the name ends in .csv, JSON otherwise.

    Args:
        path: The file.
        instance_type: Of all core and task nodes, for files that do not say it.

    Raises:
        RecordingError: Something in it cannot be used; names file, row and field.
        OSError: It cannot be read at all.
    """
    reader = _Reader(str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        reader.refuse("not UTF-8 text")
    if path.suffix.lower() == ".csv":
        return reader.read_csv(text, instance_type)
    return reader.read_json(text, instance_type)


def groups_of(instance_type: str) -> tuple[RecordedGroup, ...]:
    """Return one core and one on-demand task group of a type."""
    return tuple(
        RecordedGroup(role=role, market=Market.ON_DEMAND, instance_type=instance_type)
        for role in (Role.CORE, Role.TASK)
    )
