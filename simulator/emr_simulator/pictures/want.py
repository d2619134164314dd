"""The picture of the want: task nodes wanted and ordered against the work that waits, for each objective."""

from emr_autoscaler.domain.demand import Demand
from emr_autoscaler.domain.load import Load
from emr_autoscaler.domain.policy import Objective, TaskPolicy
from emr_autoscaler.domain.tuning import LEAST_GROWTH, PRESENT_NODES_WORK, RUNNING_WORK_LEFT, tuning_of
from emr_autoscaler.domain.want import find_want
from emr_simulator.pictures.scenes import (
    BEGIN,
    CONTAINER_MIB,
    CORE_NODES,
    MOST_TASK_NODES,
    NODE_MIB,
    Look,
    decide,
)
from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import area, frame, line, stair, text
from emr_simulator.report.standalone import WIDTH, legend_row, pointer, standalone

TASK_NODES = 20
_PER_NODE = NODE_MIB // CONTAINER_MIB
_RUNNING = (CORE_NODES + TASK_NODES) * _PER_NODE
_MOST_WAITING, _STEP = 3500, 10
_HEIGHT = 520.0
_STYLES = {Objective.COST: "blue", Objective.BALANCED: "own", Objective.SPEED: "orange"}


def wanted_nodes(objective: Objective, waiting: int) -> float:
    """Return the task nodes that a full cluster wants where so many containers wait, before bounds."""
    demand = Demand(
        at=BEGIN,
        allocated_mib=_RUNNING * CONTAINER_MIB,
        pending_mib=waiting * CONTAINER_MIB,
        pending_containers=waiting,
        total_mib=(CORE_NODES + TASK_NODES) * NODE_MIB,
        container_mib=CONTAINER_MIB,
        containers=_RUNNING,
    )
    policy = TaskPolicy(max_nodes=MOST_TASK_NODES, objective=objective)
    want = find_want(demand, Load(), policy, elsewhere_mib=CORE_NODES * NODE_MIB, now=BEGIN)
    return want.wanted_mib / NODE_MIB


def ordered_nodes(objective: Objective, waiting: int) -> int:
    """Return the task nodes ordered after the decision."""
    return decide(Look(task_nodes=TASK_NODES, running=_RUNNING, waiting=waiting), objective)[1]


def done_in_time() -> float:
    """Return how many waiting containers the present nodes do before a new one could help."""
    seconds = TaskPolicy(max_nodes=MOST_TASK_NODES).expected_task_seconds
    share = PRESENT_NODES_WORK.total_seconds() / seconds - RUNNING_WORK_LEFT
    return share * _RUNNING


def want_picture() -> str:
    """Return the picture, from the functions that decide."""
    x = Axis.linear(_MOST_WAITING, start=66, end=WIDTH - 24, most_ticks=7)
    y = Axis.linear(MOST_TASK_NODES, start=_HEIGHT - 56, end=88, most_ticks=6)
    free = x.at(done_in_time())
    parts = [area([(x.start, y.end), (free, y.end), (free, y.start), (x.start, y.start)], "shade")]
    least = y.at(TASK_NODES * (1 + LEAST_GROWTH))
    present = y.at(TASK_NODES)
    parts.append(area([(x.start, least), (x.end, least), (x.end, present), (x.start, present)], "gap"))
    parts += frame(x, y, x_unit="containers waiting (2 GiB, 30 s each)", y_unit="")
    parts.append(text(66, 80, "task nodes", "unit"))
    legend = []
    for objective, style in _STYLES.items():
        grid = range(0, _MOST_WAITING + 1, _STEP)
        want = [(x.at(waiting), y.at(wanted_nodes(objective, waiting))) for waiting in grid]
        parts.append(line([p for p in want if p[1] > y.end], f"{style} dashed thin"))
        counts = [(x.at(waiting), y.at(ordered_nodes(objective, waiting))) for waiting in grid]
        parts.append(line(stair(counts), f"{style} strongline"))
        drain = tuning_of(TaskPolicy(objective=objective)).drain_within.total_seconds()
        legend.append((f"line {style} strongline", f"{objective}: drained in {drain:.0f} s"))
    parts += legend_row(72, [*legend, ("line ink dashed thin", "wanted")], x=170)
    parts += [
        pointer(x.at(40), y.at(44), (x.at(330), y.at(TASK_NODES) - 3), [
            "The present nodes",
            f"end this in {PRESENT_NODES_WORK.total_seconds():.0f} s,",
            "before new ones",
            "could help:",
            "nothing is bought",
        ]),
        pointer(x.at(2150), y.at(6.5), (x.at(2050), y.at(TASK_NODES * (1 + LEAST_GROWTH / 2))), [
            f"Growth of less than {LEAST_GROWTH:.0%}".replace("%", " %"),
            f"of the {TASK_NODES} present task nodes",
            "is not worth a resize",
        ]),
    ]  # fmt: skip
    note = (
        f"{CORE_NODES} core and {TASK_NODES} task nodes of m5.xlarge, all full; the policy allows "
        f"{MOST_TASK_NODES} task nodes. Solid lines are orders of the deployed decision."
    )
    return standalone(_HEIGHT, parts, title="How many nodes the waiting work buys", note=note)
