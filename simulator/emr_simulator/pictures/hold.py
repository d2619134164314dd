"""The picture of giving back: a surplus that does not last, a small one that does, and a large one."""

from collections.abc import Sequence
from itertools import pairwise

from emr_autoscaler.domain.memory import TaskMemory
from emr_autoscaler.domain.policy import Objective
from emr_autoscaler.domain.tuning import LARGE_SURPLUS, SMALL_SURPLUS_WAITS
from emr_simulator.pictures.scenes import CONTAINER_MIB, CORE_NODES, NODE_MIB, Look, decide
from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import band, frame, line, stair, upright
from emr_simulator.report.standalone import WIDTH, legend_row, pointer, span, standalone

TASK_NODES = 20
MINUTES = 45
_PER_NODE = NODE_MIB // CONTAINER_MIB
_USE = ((0, 22), (4, 17), (9, 22), (14, 17), (34, 6))
"""From which minute on so many nodes' containers run, those on core nodes included; nothing waits."""

_HEIGHT = 420.0


def course() -> list[tuple[int, float, int]]:
    """Return, minute by minute: nodes that are needed, less the core's, and task nodes ordered after the look."""
    ordered, memory = TASK_NODES, TaskMemory()
    looks = []
    for minute in range(MINUTES + 1):
        nodes = next(nodes for since, nodes in reversed(_USE) if since <= minute)
        look = Look(minute=minute, task_nodes=ordered, running=nodes * _PER_NODE, waiting=0)
        _decision, ordered, memory = decide(look, Objective.BALANCED, memory)
        looks.append((minute, float(nodes - CORE_NODES), ordered))
    return looks


def hold_picture() -> str:
    """Return the picture, from the function that decides."""
    looks = course()
    ticks = tuple(float(minute) for minute in range(0, MINUTES + 1, 5))
    x = Axis(low=0.0, high=float(MINUTES), start=66, end=WIDTH - 24, ticks=ticks)
    y = Axis.linear(TASK_NODES * 1.5, start=_HEIGHT - 56, end=86, most_ticks=6)
    need = [(at, 0.0, value) for at, value in stair((float(minute), needed) for minute, needed, _ in looks)]
    orders = stair((float(minute), float(ordered)) for minute, _, ordered in looks)
    parts = legend_row(70, [("idle", "needed: everything that runs fits"), ("line ink strongline", "ordered")])
    parts += frame(x, y, x_unit="minutes", y_unit="")
    parts += [
        band(x, y, need, "idle"),
        line([(x.at(at), y.at(value)) for at, value in orders], "ink strongline"),
        upright(18, (y.start + y.end) / 2, "task nodes"),
    ]
    parts += _said(looks, x, y)
    note = (
        f"{CORE_NODES} core and {TASK_NODES} task nodes, objective balanced, looked at every minute. "
        "Starting a node again would cost five minutes of it."
    )
    return standalone(_HEIGHT, parts, title="When nodes are given back", note=note)


def _said(looks: Sequence[tuple[int, float, int]], x: Axis, y: Axis) -> list[str]:
    """Say what the picture shows; nothing where the rule has become another one."""
    changes = [now for before, now in pairwise(looks) if now[2] < before[2]]
    if len(changes) != len(("a small surplus", "a large one")):
        return []
    (small_at, _, small), (large_at, _, large) = changes
    dipped, returned, lasting, _ = (since for since, _nodes in _USE[1:])
    waits = SMALL_SURPLUS_WAITS.total_seconds() / 60
    share = f"{LARGE_SURPLUS:.0%}".replace("%", " %")
    return [
        pointer(
            x.at(dipped - 3),
            y.at(27.5),
            (x.at((dipped + returned) / 2), y.at(TASK_NODES) + 8),
            ["The work returns within", f"{waits:.0f} minutes: all are kept"],
        ),
        span(
            x.at(lasting), x.at(small_at), y.at(TASK_NODES) - 14, f"{waits:.0f} minutes: {TASK_NODES - small} go"
        ),
        pointer(
            x.at(large_at + 1.5),
            y.at(small),
            (x.at(large_at) + 3, y.at((small + large) / 2)),
            [f"{small - large} of {small} are free, more", f"than {share}: they go at once"],
        ),
    ]
