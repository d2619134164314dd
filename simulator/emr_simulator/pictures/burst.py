"""The picture of bursts: what is ordered, booted and given back, by this system and the plain drain-time rule."""

from collections.abc import Callable, Sequence

from emr_autoscaler.domain.tuning import PRESENT_NODES_WORK
from emr_simulator.benchmark.watching import Sample
from emr_simulator.experiment import Setup
from emr_simulator.pictures.experiments import BOOT_SECONDS, Course, play, work
from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import band, frame, line, text, upright
from emr_simulator.report.standalone import WIDTH, legend_row, pointer, span, standalone
from emr_simulator.workloads.model import Workload

_MINUTES = 60
OWN, OTHER = "emr-autoscaler:balanced", "drain-time:240,180"
_SMALL, _LARGE, _MIDDLE = (5, 80), (12, 900), (40, 360)
"""Minute and containers of each burst; every container runs for 30 s."""

_CORE_NODES = 4
_CONTAINER_SECONDS = 30
_TRICKLE_CONTAINERS = 8
_HEIGHT = 650.0
_X = (66.0, WIDTH - 24)
_PARTS = ("working", "idle", "booting", "draining")


def bursts() -> tuple[Setup, Workload, int, int]:
    """Return the cluster, its work, and the minutes of the small and the large burst."""
    trickle = [(half / 2, _TRICKLE_CONTAINERS, _CONTAINER_SECONDS) for half in range(2 * _MINUTES)]
    sudden = [(float(at), count, _CONTAINER_SECONDS) for at, count in (_SMALL, _LARGE, _MIDDLE)]
    workload = work("burst", *sorted([*trickle, *sudden]))
    return Setup(core_count=_CORE_NODES), workload, _SMALL[0], _LARGE[0]


def burst_picture() -> str:
    """Return the picture; the experiment is run for it, and is the same each time."""
    setup, workload, _small, _large = bursts()
    own, other = (play(policy, workload, setup) for policy in (OWN, OTHER))
    size = setup.containers_per_node
    # A quarter above the highest is for what is said of it.
    most = 1.25 * max(max(s.billed, s.ordered) for course in (own, other) for s in course.samples)

    parts = legend_row(
        72,
        [
            ("line own", "emr-autoscaler"),
            ("line violet", "drain-time"),
            ("line ink dashed", "task nodes ordered"),
            *((name, name) for name in _PARTS),
        ],
    )
    most_work = max(_load(s, size) for course in (own, other) for s in course.samples)
    x, y = _axes(most=most_work, top=106, bottom=226)
    parts += [text(_X[0], 98, "Work: containers running and waiting, in nodes that they fill", "strong")]
    parts += frame(x, y, x_unit="", y_unit="", x_labels=[""] * len(x.ticks))
    for course, style in ((other, "violet"), (own, "own")):
        parts.append(line(_line(course, x, y, lambda sample: _load(sample, size)), style))
    parts.append(upright(18, 166, "nodes"))

    parts += _nodes(own, most, top=266, bottom=410, is_last=False)
    parts += _said_of_own(own, *_axes(most=most, top=266, bottom=410))
    parts += _nodes(other, most, top=450, bottom=594, is_last=True)
    parts += _said_of_other(other, *_axes(most=most, top=450, bottom=594))
    note = (
        f"{_CORE_NODES} core nodes run a trickle; {_SMALL[1]}, {_LARGE[1]} and {_MIDDLE[1]} containers of "
        f"{_CONTAINER_SECONDS} s come at once. Areas: what is paid for, by what it does."
    )
    return standalone(_HEIGHT, parts, title="Three bursts in an hour", note=note)


def _axes(*, most: float, top: float, bottom: float) -> tuple[Axis, Axis]:
    ticks = tuple(float(minute) for minute in range(0, _MINUTES + 1, 5))
    x = Axis(low=0.0, high=float(_MINUTES), start=_X[0], end=_X[1], ticks=ticks)
    return x, Axis.linear(most, start=bottom, end=top, most_ticks=5)


def _nodes(course: Course, most: float, *, top: float, bottom: float, is_last: bool) -> list[str]:
    """Draw what the task nodes of one policy do, and what was ordered."""
    x, y = _axes(most=most, top=top, bottom=bottom)
    labels = [f"{tick:g}" if is_last else "" for tick in x.ticks]
    unit = "minutes" if is_last else ""
    heading = (
        f"{course.policy}: {course.node_hours:.1f} node-hours paid, work waits {course.delay_seconds:.0f} s "
        f"on average, {course.resizes} resizes"
    )
    parts = [text(_X[0], top - 8, heading, "strong"), *frame(x, y, x_unit=unit, y_unit="", x_labels=labels)]
    samples = _shown(course)
    below = [0.0] * len(samples)
    for name in _PARTS:
        above = [low + getattr(sample, name) for low, sample in zip(below, samples, strict=True)]
        edges = list(zip((course.minute(s) for s in samples), below, above, strict=True))
        parts.append(band(x, y, _thinned(edges), name))
        below = above
    parts.append(line(_line(course, x, y, lambda sample: float(sample.ordered)), "ink dashed"))
    parts.append(upright(18, (top + bottom) / 2, "task nodes"))
    return parts


def _said_of_own(course: Course, x: Axis, y: Axis) -> list[str]:
    """Say what the picture shows of this system's rule; nothing where it has become another one."""
    samples = _shown(course)
    out = _first(samples, lambda s: s.ordered > 0)
    back = _first(samples, lambda s: out is not None and s.at > out.at and s.ordered < out.ordered)
    if out is None or back is None:
        return []
    ordered_at, left_at, high = x.at(course.minute(out)), x.at(course.minute(back)), y.at(out.ordered)
    said = [
        span(
            ordered_at, x.at(course.minute(out) + BOOT_SECONDS / 60), high - 10, f"boot, {BOOT_SECONDS / 60:g} min"
        ),
        pointer(
            left_at + 26,
            high + 22,
            (left_at + 1, high + 24),
            [
                f"Nothing waits any more: {out.ordered - back.ordered} of {out.ordered} nodes",
                "are given back at once",
            ],
        ),
    ]
    if course.minute(out) > _SMALL[0] + 1:
        seconds = PRESENT_NODES_WORK.total_seconds()
        words = ["The core nodes end", "the small burst in", f"{seconds:.0f} s: nothing", "is bought"]
        said.append(pointer(x.at(0.4), high + 22, (x.at(_SMALL[0]), y.at(0) - 2), words))
    return said


def _said_of_other(course: Course, x: Axis, y: Axis) -> list[str]:
    """Say what the picture shows of the rule it is compared with."""
    samples = _shown(course)
    peak = max(samples, key=lambda sample: sample.ordered)
    back = _first(samples, lambda s: s.at > peak.at and s.ordered < peak.ordered / 2)
    high = y.at(peak.ordered)
    words = ["The core nodes drain", "the small burst here", "as well"]
    said = [pointer(x.at(0.4), high + 22, (x.at(_SMALL[0]), y.at(0) - 2), words)]
    if back is not None:
        left_at = x.at(course.minute(back))
        words = ["The largest want of the last 180 s is kept,", "then a third goes back every two minutes"]
        said.append(pointer(left_at + 26, high + 22, (left_at - 2, high + 30), words))
    return said


def _first(samples: Sequence[Sample], test: Callable[[Sample], bool]) -> Sample | None:
    return next((sample for sample in samples if test(sample)), None)


def _load(sample: Sample, containers_per_node: int) -> float:
    return (sample.running + sample.pending) / containers_per_node


def _shown(course: Course) -> list[Sample]:
    return [sample for sample in course.samples if course.minute(sample) <= _MINUTES]


def _line(course: Course, x: Axis, y: Axis, value: Callable[[Sample], float]) -> list[tuple[float, float]]:
    edges = [(course.minute(s), 0.0, value(s)) for s in _shown(course)]
    return [(x.at(at), y.at(upper)) for at, _lower, upper in _thinned(edges)]


def _thinned(edges: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Leave out what lies between two equal neighbours: it draws the same."""
    inner = (
        edge
        for before, edge, after in zip(edges, edges[1:], edges[2:], strict=False)
        if not before[1:] == edge[1:] == after[1:]
    )
    return [edges[0], *inner, edges[-1]]
