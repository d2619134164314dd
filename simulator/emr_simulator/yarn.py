"""YARN of one cluster: who runs where, by memory only, never pre-empting; not who pays for nodes.

One queue is first in, first out over applications; how several share a cluster is in queues.py.

Tasks of a stage that start in the same second end in the same second, so they are kept as one batch
with a count for each node, not as objects of their own.
"""

from bisect import insort
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from emr_simulator.applications import Application, Batch, NodeManager, StageRun
from emr_simulator.engine import Engine
from emr_simulator.queues import ONE_QUEUE, Queue, QueueSpec, place, serve, serve_in_order
from emr_simulator.workloads.model import Job


class Yarn:
    """The resource manager.

    Attributes:
        pending: Containers asked for and not allocated.
        pending_mib: Their memory.
        running: Containers allocated now.
        allocated_mib: Their memory.
        served_container_seconds: Integral of ``running`` up to the last change.
        done_container_seconds: Of tasks that ended well.
        lost_container_seconds: Of tasks that were killed.
        released: Containers that have ended, well or not.
        masters_lost: Application masters that went with their nodes.
        delay_integral: Sum over ended tasks of seconds x (start - earliest possible start).
    """

    def __init__(
        self,
        engine: Engine,
        *,
        stage_gap_seconds: int = 0,
        queues: Sequence[QueueSpec] = ONE_QUEUE,
        application_masters: bool = False,
    ) -> None:
        self._engine = engine
        self._has_masters = application_masters
        self.masters_lost = 0
        self._stage_gap_seconds = stage_gap_seconds
        self.queues = tuple(Queue(spec) for spec in queues)
        self._open: dict[int, OrderedDict[NodeManager, None]] = {}
        self.nodes: dict[NodeManager, None] = {}
        self.live: dict[Application, None] = {}
        self.ended: list[Application] = []
        self.pending = 0
        self.pending_mib = 0
        self.running = 0
        self.allocated_mib = 0
        self.served_container_seconds = 0
        self.done_container_seconds = 0
        self.lost_container_seconds = 0
        self.delay_integral = 0
        self.submitted = 0
        self.killed_apps = 0
        self.released = 0
        self._served_at = engine.now
        self.is_up = False

    # ------------------------------------------------------------------ what is asked of it

    def submit(self, job: Job, when_done: Callable[[], None]) -> Application:
        """Queue a job behind all earlier ones of its queue.

        Raises:
            UnknownQueueError: It names a queue that is not there.
        """
        app = Application(self.submitted, job, place(job, self.queues), self._engine.now, when_done)
        self.submitted += 1
        self.live[app] = None
        for run in app.stages:
            self._know_size(run.stage.container_mib)
            if not run.parents_left:
                self._make_ready(run)
        self._engine.settle(self._allocate)
        return app

    def start(self) -> None:
        """Begin to allocate: the cluster is up."""
        self.is_up = True
        self._engine.settle(self._allocate)

    def stop(self) -> None:
        """Kill every application: the cluster goes."""
        for node in list(self.nodes):
            self.remove(node)
        self.is_up = False
        self.killed_apps += len(self.live)
        self.live.clear()
        self.pending = self.pending_mib = 0
        for queue in self.queues:
            queue.ready.clear()

    def add(self, node: NodeManager) -> None:
        """Take a node into service."""
        self.nodes[node] = None
        self._reopen(node)

    def drain(self, node: NodeManager) -> None:
        """Give a node no new containers."""
        node.accepts = False
        for nodes in self._open.values():
            nodes.pop(node, None)

    def resume(self, node: NodeManager) -> None:
        """Give a draining node containers again."""
        node.accepts = True
        self._reopen(node)

    def remove(self, node: NodeManager) -> None:
        """Take a node away; what ran on it runs again elsewhere."""
        self._account()
        self.drain(node)
        self.nodes.pop(node, None)
        for batch, containers in node.batches.items():
            run = batch.stage
            del batch.counts[node]
            lost = containers * (self._engine.now - batch.started_at)
            self.lost_container_seconds += lost
            run.app.killed_container_seconds += lost
            self.running -= containers
            self.released += containers
            self.allocated_mib -= containers * run.stage.container_mib
            run.app.queue.used_mib -= containers * run.stage.container_mib
            if not run.pending:
                insort(run.app.queue.ready, run)
            run.pending += containers
            self.pending += containers
            self.pending_mib += containers * run.stage.container_mib
        node.batches.clear()
        node.containers = 0
        for app in self.live:
            if app.master is node:
                app.master = None
                self.masters_lost += 1
        self._engine.settle(self._allocate)

    # ------------------------------------------------------------------ what it shows

    @property
    def total_mib(self) -> int:
        """Memory of all nodes; a draining node counts with what it still uses."""
        return sum(n.total_mib if n.accepts else n.total_mib - n.free_mib for n in self.nodes)

    @property
    def served_now(self) -> int:
        """Container-seconds allocated up to now."""
        return self.served_container_seconds + self.running * (self._engine.now - self._served_at)

    def masters_on(self, node: NodeManager) -> int:
        """Application masters of running applications on a node."""
        return sum(app.master is node for app in self.live) if self._has_masters else 0

    def hosted_running_application(self, node: NodeManager) -> bool:
        """Whether an application that has not ended has, or had, containers on a node."""
        return any(node in app.nodes for app in self.live)

    # ------------------------------------------------------------------ inside

    def _account(self) -> None:
        self.served_container_seconds = self.served_now
        self._served_at = self._engine.now

    def _know_size(self, mib: int) -> None:
        if mib not in self._open:
            self._open[mib] = OrderedDict((n, None) for n in self.nodes if n.accepts and n.free_mib >= mib)

    def _reopen(self, node: NodeManager) -> None:
        for mib, nodes in self._open.items():
            if node.free_mib >= mib:
                nodes[node] = None
        self._engine.settle(self._allocate)

    def _allocate(self) -> None:
        if not self.is_up or not any(queue.ready for queue in self.queues):
            return
        self._account()
        if len(self.queues) > 1:
            serve(self.queues, total_mib=self.total_mib, start=self._start_tasks)
        else:
            serve_in_order(self.queues[0], fitting=self._open, start=self._start_tasks)

    def _start_tasks(self, run: StageRun, most: int) -> int:
        """Start at most ``most`` containers of a stage that waits; return how many found room."""
        mib = run.stage.container_mib
        nodes = self._open[mib]
        if not nodes:
            return 0
        batch = Batch(run, self._engine.now)
        left = most
        while left and nodes:
            node = next(iter(nodes))
            containers = min(left, node.free_mib // mib)
            left -= containers
            node.free_mib -= containers * mib
            batch.counts[node] = containers
            node.batches[batch] = containers
            node.containers += containers
            run.app.nodes.add(node)
            if self._has_masters and run.app.master is None:
                run.app.master = node
            for size, fitting in self._open.items():
                if node.free_mib < size:
                    fitting.pop(node, None)
        started = most - left
        run.pending -= started
        self.pending -= started
        self.pending_mib -= started * mib
        self.running += started
        self.allocated_mib += started * mib
        run.app.queue.used_mib += started * mib
        if run.app.started_at is None:
            run.app.started_at = self._engine.now
        self._engine.after(run.stage.seconds, partial(self._finish, batch))
        return started

    def _finish(self, batch: Batch) -> None:
        if not batch.counts:
            return
        self._account()
        run = batch.stage
        mib = run.stage.container_mib
        ended = 0
        for node, containers in batch.counts.items():
            ended += containers
            node.free_mib += containers * mib
            del node.batches[batch]
            node.containers -= containers
            if node.accepts:
                for size, fitting in self._open.items():
                    if node.free_mib >= size:
                        fitting[node] = None
            elif not node.batches:
                self._engine.at(self._engine.now, node.when_empty)
        work = ended * run.stage.seconds
        self.running -= ended
        self.released += ended
        self.allocated_mib -= ended * mib
        run.app.queue.used_mib -= ended * mib
        self.done_container_seconds += work
        self.delay_integral += work * (batch.started_at - run.ideal_start)
        run.done += ended
        if run.done == run.stage.tasks:
            self._finish_stage(run)
        self._engine.settle(self._allocate)

    def _finish_stage(self, run: StageRun) -> None:
        app = run.app
        for child in app.stages[run.index + 1 :]:
            if run.index in child.stage.parents:
                child.parents_left -= 1
                if not child.parents_left:
                    self._ask_after_gap(child)
        app.stages_left -= 1
        if not app.stages_left:
            app.ended_at = self._engine.now
            del self.live[app]
            self.ended.append(app)
            self._release(app)
            app.when_done()

    def _ask_after_gap(self, run: StageRun) -> None:
        if self._stage_gap_seconds:
            self._engine.after(self._stage_gap_seconds, partial(self._ask, run))
        else:
            self._make_ready(run)

    def _ask(self, run: StageRun) -> None:
        if run.app in self.live:
            self._make_ready(run)
            self._engine.settle(self._allocate)

    def _make_ready(self, run: StageRun) -> None:
        """Let a stage ask for its containers."""
        insort(run.app.queue.ready, run)
        self.pending += run.pending
        self.pending_mib += run.pending * run.stage.container_mib

    def _release(self, app: Application) -> None:
        """Let empty nodes go that were kept for an application; in the order of nodes, never that of a set."""
        for node in self.nodes:
            if not node.accepts and not node.batches and node in app.nodes:
                self._engine.at(self._engine.now, node.when_empty)
        app.nodes.clear()
