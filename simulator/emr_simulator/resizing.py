"""How nodes come, drain, are taken back and go; what EC2 runs is in instances.py, refusals are emr.py's."""

from collections.abc import Callable
from functools import partial

from emr_simulator import announcements
from emr_simulator.applications import NodeManager
from emr_simulator.clusters import Cluster, Group, Node
from emr_simulator.descriptions import GroupResize
from emr_simulator.fleets import Fleet
from emr_simulator.group_states import announce_resize, refresh
from emr_simulator.instances import BY_EMR, INTERRUPTED, Instances
from emr_simulator.kernel import Kernel
from emr_simulator.spot import PoolName
from emr_simulator.words import ENDING, GroupState, InstanceState, Role

WARNING_SECONDS = 120
RETRY_SECONDS = 60
SHORTAGE_EVENT_SECONDS = 300


class Resizer:
    """Moves groups towards their requested counts.

    Attributes:
        instances: What EC2 runs.
        when_changed: Told of each cluster whose nodes changed.
        when_master_lost: Told of a cluster that lost its MASTER.
        refill_fleet: Buys what a fleet has lost.
    """

    def __init__(
        self,
        kernel: Kernel,
        *,
        when_changed: Callable[[Cluster], None],
        when_master_lost: Callable[[Cluster], None],
    ) -> None:
        self._kernel = kernel
        self._when_changed = when_changed
        self._when_master_lost = when_master_lost
        self._delays = kernel.chance("provisioning")
        self.instances = Instances(kernel, when_interrupted=self._interrupt_pool)
        self.refill_fleet: Callable[[Fleet], None] = lambda _fleet: None

    # ------------------------------------------------------------------ orders

    def draw_boot_seconds(self) -> int:
        """Draw one provisioning delay; return what is left of it after the EC2 launch."""
        settings = self._kernel.settings
        return max(1, settings.provisioning_delay.draw(self._delays) - settings.launch_lag_seconds)

    def launch(self, group: Group, count: int, boot_seconds: int) -> None:
        """Ask EC2 for ``count`` nodes of a group."""
        for _ in range(count):
            node = Node(
                instance_id=self._kernel.new_id("ci"),
                group=group,
                instance_type=group.spec.instance_type,
                market=group.spec.market,
                requested_at=self._kernel.now,
                boot_seconds=boot_seconds,
                state=InstanceState.AWAITING_FULFILLMENT,
            )
            group.nodes.append(node)
            group.all_nodes.append(node)
            self._kernel.engine.after(self._kernel.settings.launch_lag_seconds, partial(self._launch, node))

    def resize(self, group: Group, order: GroupResize, boot_seconds: int) -> None:
        """Carry out an accepted order: kill what is named, then set the absolute count."""
        for ec2_id in order.ec2_instance_ids_to_terminate:
            group.requested = max(0, group.requested - 1)
            self.remove(self.instances.by_ec2_id[ec2_id], BY_EMR)
        if order.count is not None:
            before = group.requested
            group.requested = order.count
            group.held = group.held and group.state is not GroupState.SUSPENDED
            if group.state is GroupState.SUSPENDED:
                group.state = GroupState.RUNNING
            surplus = len(group.active) - order.count
            if surplus > 0:
                self._shrink(group, surplus, order)
            else:
                self._grow(group, -surplus, boot_seconds)
            if before != order.count and group.state is GroupState.RESIZING:
                announce_resize(self._kernel, group, before)
        refresh(self._kernel, group)

    def _grow(self, group: Group, missing: int, boot_seconds: int) -> None:
        """Recall draining nodes first: sending the current count cancels a shrink."""
        for node in [n for n in group.nodes if n.draining and not n.warned][:missing]:
            self.recall(node)
            missing -= 1
        self.launch(group, missing, boot_seconds)

    def _shrink(self, group: Group, surplus: int, order: GroupResize) -> None:
        named, protected = set(order.instances_to_terminate), set(order.instances_to_protect)

        ready_first = self._kernel.settings.ready_nodes_leave_first

        def cost_of_losing(node: Node) -> tuple[bool, bool, bool, bool, int, int]:
            working = node.state is InstanceState.RUNNING
            return (
                node.ec2_id in protected,
                node.ec2_id not in named,
                not node.warned,
                ready_first and not working,
                (1 << 20) + node.yarn.containers if working and node.yarn else int(bool(node.launched_at)),
                -node.requested_at,
            )

        default = self._kernel.settings.decommission_timeout_seconds
        timeout = order.decommission_timeout_seconds
        for node in sorted(group.active, key=cost_of_losing)[:surplus]:
            seconds = default if timeout is None else timeout
            if node.ec2_id in named and order.instance_termination_timeout_seconds is not None:
                seconds = order.instance_termination_timeout_seconds
            if node.state is InstanceState.RUNNING:
                self.drain(node, seconds)
            else:
                self.remove(node, BY_EMR)

    # ------------------------------------------------------------------ coming

    def _launch(self, node: Node) -> None:
        group = node.group
        if node.is_gone:
            return
        kernel = self._kernel
        if not self.instances.may_launch(node.instance_type, group.cluster.zone, node.market):
            if kernel.now >= group.next_shortage_event_at:
                group.next_shortage_event_at = kernel.now + SHORTAGE_EVENT_SECONDS
                waiting = sum(n.state is InstanceState.AWAITING_FULFILLMENT for n in group.nodes)
                over_quota = self.instances.is_over_quota(node.market)
                announcements.capacity_missing(kernel, group, waiting, over_quota=over_quota)
            kernel.engine.after(RETRY_SECONDS, partial(self._launch, node))
            return
        self.begin(node)

    def begin(self, node: Node) -> None:
        """Let EC2 launch a node that its pool has."""
        node.state = InstanceState.BOOTSTRAPPING
        self.instances.launch(node)
        self._kernel.engine.after(node.boot_seconds, partial(self._become_ready, node))
        self._when_changed(node.group.cluster)

    def _become_ready(self, node: Node) -> None:
        if node.is_gone or node.warned:
            return
        group, cluster = node.group, node.group.cluster
        node.state = InstanceState.RUNNING
        node.ready_at = self._kernel.now
        if group.spec.role is not Role.MASTER:
            extra = dict(self._kernel.settings.extra_yarn_mib)
            node.yarn = NodeManager(node.yarn_mib(extra), partial(self._try_leave, node))
            cluster.yarn.add(node.yarn)
        if group.spec.role is Role.CORE:
            cluster.hdfs.capacity_gib += node.data_gib
        refresh(self._kernel, group)
        self._when_changed(cluster)

    # ------------------------------------------------------------------ leaving

    def drain(self, node: Node, timeout_seconds: int) -> None:
        """Let a node finish its work and go, within a time."""
        node.draining = True
        node.drain_deadline = self._kernel.now + timeout_seconds
        if node.yarn:
            node.group.cluster.yarn.drain(node.yarn)
        leave = partial(self._try_leave, node)
        self._kernel.engine.at(self._kernel.now, leave)
        self._kernel.engine.at(node.drain_deadline, leave)

    def recall(self, node: Node) -> None:
        """Let a draining node stay."""
        node.draining, node.drain_deadline, node.copied_at = False, None, None
        if node.yarn and not node.warned:
            node.group.cluster.yarn.resume(node.yarn)

    def _try_leave(self, node: Node) -> None:
        """Let a draining node go once it is empty or overdue, and, on CORE, its blocks are safe."""
        if node.is_gone or not node.draining or node.drain_deadline is None:
            return
        now = self._kernel.now
        if node.group.spec.role is Role.CORE and not self._blocks_are_safe(node):
            return
        if now < node.drain_deadline and self._is_needed(node):
            return
        self.remove(node, BY_EMR)

    def _is_needed(self, node: Node) -> bool:
        if node.yarn is None:
            return False
        waits = self._kernel.settings.drain_waits_for_applications
        yarn = node.group.cluster.yarn
        hosts = yarn.masters_on(node.yarn) or (waits and yarn.hosted_running_application(node.yarn))
        return bool(node.yarn.batches) or bool(hosts)

    def _blocks_are_safe(self, node: Node) -> bool:
        kernel, hdfs, group = self._kernel, node.group.cluster.hdfs, node.group
        if node.copied_at is None:
            leaving = sum(n.data_gib for n in group.nodes if n.copied_at is not None)
            if hdfs.fits_without(leaving + node.data_gib):
                node.copied_at = hdfs.copy_away(
                    node.data_gib, kernel.now, kernel.settings.re_replication_mib_per_second
                )
                kernel.engine.at(node.copied_at, partial(self._try_leave, node))
            elif kernel.now >= (node.drain_deadline or 0):
                # EMR never loses blocks to a shrink: it stops half-way, and the node works again.
                self.recall(node)
            else:
                kernel.engine.after(RETRY_SECONDS, partial(self._try_leave, node))
            return False
        return kernel.now >= node.copied_at

    def remove(self, node: Node, code: str, *, interrupted: bool = False) -> None:
        """Take a node out of its cluster now, whatever runs there; lost ones are ordered again."""
        if node.is_gone:
            return
        group, cluster = node.group, node.group.cluster
        was_running = node.state is InstanceState.RUNNING
        node.state = InstanceState.TERMINATED
        node.ended_at = self._kernel.now
        node.end_code = code
        node.interrupted = interrupted
        group.nodes.remove(node)
        if node.yarn:
            cluster.yarn.remove(node.yarn)
        if group.spec.role is Role.CORE and was_running and cluster.state not in ENDING:
            if node.copied_at is not None and node.copied_at <= self._kernel.now:
                cluster.hdfs.capacity_gib -= node.data_gib
            else:
                speed = self._kernel.settings.re_replication_mib_per_second
                cluster.hdfs.lose(node.data_gib, cluster.replication, self._kernel.now, speed)
        self.instances.terminate(node)
        if cluster.state in ENDING:
            return
        if group.spec.role is Role.MASTER and group.requested == 1:
            self._when_master_lost(cluster)
            return
        self.refill(group)

    def refill(self, group: Group) -> None:
        """Order what a group has lost, up to its requested count; a held group waits."""
        if isinstance(group, Fleet):
            self.refill_fleet(group)
            return
        missing = group.requested - len(group.active)
        if missing > 0 and not group.held:
            self.launch(group, missing, self.draw_boot_seconds())
        refresh(self._kernel, group)

    # ------------------------------------------------------------------ taken back

    def warn(self, node: Node) -> None:
        """Give a spot node its two minutes: it takes no more containers, then it is gone."""
        if node.warned or node.is_gone:
            return
        node.warned = True
        if node.yarn:
            node.group.cluster.yarn.drain(node.yarn)
        announcements.spot_warning(self._kernel, node.group.cluster.zone, node.ec2_id)
        gone = partial(self.remove, node, INTERRUPTED, interrupted=True)
        self._kernel.engine.after(WARNING_SECONDS, gone)

    def _interrupt_pool(self, pool: PoolName) -> None:
        for node in self.instances.on_spot(pool):
            self.warn(node)
