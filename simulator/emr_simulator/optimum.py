"""The offline optimum: the least that any policy could pay for a workload, by linear programming.

It knows all work beforehand, and relaxes integrality, packing, the order of stages and draining; so it is a
lower bound, in minutes of time t, with x nodes, u starts, S served work, D cumulative zero-wait demand:

    min  sum (p/60) (x_t - free + P u_t)  [ + w delay ]
    s.t. 0 <= S_t - S_{t-1} <= C x_t,   S_t <= D_t,   S_end = D_end,   u_t >= x_t - x_{t-1},   u_t >= 0,
         free <= x_t <= most,   x_t = free for t < first_useful_minute

and one of: S_t >= D_{t-L} (every task starts within L), a price w of delay, or a bound on the mean delay (the
same frontier as w gives, at exactly the delay asked for). Delay is integral(D - S) / work, with S taken at the
end of each minute, which can only be more than was served: so the bound holds for policies that act by seconds.

Needs SciPy (HiGHS), a development dependency that is never deployed. What policies do with work is in policies/.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog  # type: ignore[import-untyped]  # SciPy ships no types
from scipy.sparse import coo_array, csr_array  # type: ignore[import-untyped]  # SciPy ships no types

from emr_simulator.catalogue import TYPES
from emr_simulator.experiment import Setup
from emr_simulator.workloads.model import Workload

MINUTE = 60
BOOT_MINUTES = 2.0
"""P of the protocol: billed minutes before a node is useful. Nodes here pay more, 5.0 on average."""

Floats = NDArray[np.float64]


class NoOptimumError(ValueError):
    """No plan meets what was asked for: the most nodes cannot serve the work in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One optimum.

    Attributes:
        node_hours: Of nodes that are paid for, boot included.
        cost_usd: Of them.
        delay_seconds: Work-weighted delay, at least; below 0 by half a minute at most, where nothing waits.
        nodes: Useful nodes in each minute, free ones included.
        served: Container-seconds served by the end of each minute.
        usd_per_second: Where the delay was bounded: what the cost changes by with a second more (0 or less).
    """

    node_hours: float
    cost_usd: float
    delay_seconds: float
    nodes: tuple[float, ...]
    served: tuple[float, ...]
    usd_per_second: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The linear program of one workload on one kind of node.

    Attributes:
        demand: Cumulative zero-wait demand at the end of each minute, container-seconds.
        demand_integral: Integral of the demand curve over time, container-seconds x seconds.
        containers_per_node: C.
        usd_per_node_hour: p.
        free_nodes: Always there and not paid for (core).
        most_nodes: Bound of x; infinite for none.
        boot_minutes: P.
        first_useful_minute: Before it only the free nodes serve.
    """

    demand: Floats
    demand_integral: float
    containers_per_node: int
    usd_per_node_hour: float
    free_nodes: int
    most_nodes: float
    boot_minutes: float = BOOT_MINUTES
    first_useful_minute: int = 0

    @property
    def work_seconds(self) -> float:
        """All work, in container-seconds."""
        return float(self.demand[-1])

    @property
    def work_floor_node_hours(self) -> float:
        """Node-hours of the work itself, each node always full."""
        return self.work_seconds / self.containers_per_node / 3600

    def within_deadline(self, minutes: int) -> Plan:
        """Return the cheapest plan in which every task starts within ``minutes`` of its earliest time.

        Raises:
            NoOptimumError: The bounds do not allow it.
        """
        least = np.concatenate([np.zeros(minutes), self.demand])[: len(self.demand)]
        return self._solve(least=least, delay_usd_per_second=0.0, most_delay_seconds=None)

    def at_delay(self, seconds: float) -> Plan:
        """Return the cheapest plan with a work-weighted delay of at most ``seconds``.

        Raises:
            NoOptimumError: The bounds do not allow it.
        """
        return self._solve(least=None, delay_usd_per_second=0.0, most_delay_seconds=seconds)

    def at_price(self, usd_per_container_hour: float) -> Plan:
        """Return the plan that is cheapest when an hour of one container's waiting costs that much (w).

        Raises:
            NoOptimumError: The bounds do not allow any.
        """
        return self._solve(least=None, delay_usd_per_second=usd_per_container_hour / 3600, most_delay_seconds=None)

    # ------------------------------------------------------------------ inside

    @property
    def _all_at_once(self) -> float:
        """More nodes than this never help: they serve all work in one minute."""
        return self.work_seconds / self.containers_per_node / MINUTE + self.free_nodes

    @cached_property
    def _rows(self) -> csr_array:
        """Rows <= 0 over [x, u, S]: capacity, no work undone, starts."""
        length = len(self.demand)
        minute = np.arange(length)
        capacity, undone, starts = minute, length + minute, 2 * length + minute
        nodes, begun, served = minute, length + minute, 2 * length + minute
        one = np.ones(length)
        parts = (
            (capacity, served, one),
            (capacity[1:], served[:-1], -one[1:]),
            (capacity, nodes, -one * self.containers_per_node * MINUTE),
            (undone, served, -one),
            (undone[1:], served[:-1], one[1:]),
            (starts, nodes, one),
            (starts[1:], nodes[:-1], -one[1:]),
            (starts, begun, -one),
        )
        rows, columns, values = (np.concatenate(column) for column in zip(*parts, strict=True))
        return csr_array(coo_array((values, (rows, columns)), shape=(3 * length, 3 * length)))

    def _solve(
        self, *, least: Floats | None, delay_usd_per_second: float, most_delay_seconds: float | None
    ) -> Plan:
        length = len(self.demand)
        matrix, limits = self._rows, np.zeros(3 * length)
        # The first minute may begin with any number of nodes: they were started before the work.
        limits[2 * length] = min(float(self.most_nodes), self._all_at_once)
        if most_delay_seconds is not None:
            row = np.concatenate([np.zeros(2 * length), np.full(length, -float(MINUTE))])
            matrix = csr_array(_with_row(matrix, row))
            bound = most_delay_seconds * self.work_seconds - self.demand_integral
            limits = np.append(limits, bound)
        usd = self.usd_per_node_hour / MINUTE
        objective = np.concatenate(
            [
                np.full(length, usd),
                np.full(length, usd * self.boot_minutes),
                np.full(length, -delay_usd_per_second * MINUTE),
            ]
        )
        lower = np.zeros(length) if least is None else least.copy()
        lower[-1] = self.demand[-1]
        most = np.full(length, min(float(self.most_nodes), self._all_at_once))
        most[: self.first_useful_minute] = self.free_nodes
        bounds = np.concatenate(
            [
                np.column_stack([np.full(length, float(self.free_nodes)), most]),
                np.column_stack([np.zeros(length), np.full(length, np.inf)]),
                np.column_stack([lower, self.demand]),
            ]
        )
        found = linprog(objective, A_ub=matrix, b_ub=limits, bounds=bounds, method="highs")
        if found.status != 0:
            msg = f"there is no plan: {found.message}"
            raise NoOptimumError(msg)
        nodes, begun, served = found.x[:length], found.x[length : 2 * length], found.x[2 * length :]
        hours = float(np.sum(nodes - self.free_nodes + self.boot_minutes * begun)) / MINUTE
        delay = (self.demand_integral - MINUTE * float(np.sum(served))) / self.work_seconds
        return Plan(
            node_hours=hours,
            cost_usd=hours * self.usd_per_node_hour,
            delay_seconds=delay,
            nodes=tuple(float(count) for count in nodes),
            served=tuple(float(work) for work in served),
            usd_per_second=(
                0.0 if most_delay_seconds is None else float(found.ineqlin.marginals[-1]) * self.work_seconds
            ),
        )


def _with_row(matrix: csr_array, row: Floats) -> coo_array:
    upper = matrix.tocoo()
    columns = np.nonzero(row)[0]
    return coo_array(
        (
            np.concatenate([upper.data, row[columns]]),
            (
                np.concatenate([upper.coords[0], np.full(len(columns), matrix.shape[0])]),
                np.concatenate([upper.coords[1], columns]),
            ),
        ),
        shape=(matrix.shape[0] + 1, matrix.shape[1]),
    )


def optimum_of(
    workload: Workload,
    setup: Setup,
    *,
    usd_per_node_hour: float,
    longest_wait_minutes: int = 240,
    boot_minutes: float = BOOT_MINUTES,
    free_nodes: int | None = None,
    most_nodes: float | None = None,
    first_useful_minute: int = 0,
) -> Optimum:
    """Return the program of a workload on the nodes of a set-up.

    Args:
        workload: The work.
        setup: Its core nodes are free; container size and node type give C.
        usd_per_node_hour: Of a task node.
        longest_wait_minutes: How long after the last zero-wait end work may still run.
        boot_minutes: P.
        free_nodes: In place of the set-up's core nodes.
        most_nodes: In place of its core nodes and the most task nodes.
        first_useful_minute: Before it only the free nodes serve.
    """
    free = setup.core_count if free_nodes is None else free_nodes
    rate = zero_wait_rate(workload, longest_wait_minutes * MINUTE)
    per_second = np.cumsum(rate)
    return Optimum(
        demand=per_second[MINUTE - 1 :: MINUTE].astype(np.float64),
        demand_integral=float(np.sum(per_second - rate / 2)),
        containers_per_node=TYPES[setup.instance_type].yarn_mib // setup.container_mib,
        usd_per_node_hour=usd_per_node_hour,
        free_nodes=free,
        most_nodes=free + setup.maximum_task_count if most_nodes is None else most_nodes,
        boot_minutes=boot_minutes,
        first_useful_minute=first_useful_minute,
    )


def zero_wait_rate(workload: Workload, after_seconds: int) -> Floats:
    """Return the containers that would run in each second if no task ever waited.

    Args:
        workload: The work.
        after_seconds: How much time to add after the last end; the length is whole minutes.
    """
    begins: list[tuple[int, int, int]] = []
    for job in workload.jobs:
        ends: list[int] = []
        for stage in job.stages:
            start = max((ends[parent] for parent in stage.parents), default=job.submit_after_seconds)
            ends.append(start + stage.seconds)
            begins.append((start, start + stage.seconds, stage.tasks))
    last = max((end for _start, end, _tasks in begins), default=0)
    steps = np.zeros(math.ceil((last + 1 + after_seconds) / MINUTE) * MINUTE)
    for start, end, tasks in begins:
        steps[start] += tasks
        steps[end] -= tasks
    return np.cumsum(steps)
