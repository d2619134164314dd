"""How nodes come, drain, are taken back and go; which calls are refused is in emr.py."""

from collections import Counter
from collections.abc import Callable
from functools import partial

from emr_simulator import announcements
from emr_simulator.applications import NodeManager
from emr_simulator.clusters import Cluster, Group, Node
from emr_simulator.descriptions import Ec2Volume, GroupResize
from emr_simulator.fleets import Fleet
from emr_simulator.group_states import announce_resize, refresh
from emr_simulator.kernel import Kernel
from emr_simulator.spot import PoolName, Pools
from emr_simulator.words import ENDING, GroupState, InstanceState, Market, Role

WARNING_SECONDS = 120
RETRY_SECONDS = 60
SHORTAGE_EVENT_SECONDS = 300
INTERRUPTED = "Server.SpotInstanceTermination"
BY_EMR = "Client.UserInitiatedShutdown"


class Resizer:
    """Moves groups towards their requested counts.

    Attributes:
        pools: Where capacity comes from.
        by_ec2_id: Every node that EC2 launched.
        launched: The same by cluster id, oldest first.
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
        self.pools = Pools(kernel, self._interrupt_pool)
        self.by_ec2_id: dict[str, Node] = {}
        self.launched: dict[str, list[Node]] = {}
        self._spot_nodes: dict[PoolName, dict[Node, None]] = {}
        self._addresses = 0
        self.refill_fleet: Callable[[Fleet], None] = lambda _fleet: None
        self._live: Counter[str] = Counter()

    def free_addresses(self, zone: str) -> int:
        """Return how many addresses the subnet of a zone has left."""
        return max(0, self._kernel.settings.subnet_addresses - self._live[zone])

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
            self.remove(self.by_ec2_id[ec2_id], BY_EMR)
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
        if not self.may_launch(node.instance_type, group.cluster.zone, node.market):
            if kernel.now >= group.next_shortage_event_at:
                group.next_shortage_event_at = kernel.now + SHORTAGE_EVENT_SECONDS
                waiting = sum(n.state is InstanceState.AWAITING_FULFILLMENT for n in group.nodes)
                announcements.capacity_missing(kernel, group, waiting, over_quota=self.is_over_quota(node.market))
            kernel.engine.after(RETRY_SECONDS, partial(self._launch, node))
            return
        self.begin(node)

    def begin(self, node: Node) -> None:
        """Let EC2 launch a node that its pool has."""
        kernel, group = self._kernel, node.group
        node.state = InstanceState.BOOTSTRAPPING
        node.launched_at = kernel.now
        self._live[group.cluster.zone] += 1
        node.ec2_id = kernel.new_ec2_id("i")
        node.volumes = self._new_volumes(node)
        self._addresses += 1
        node.private_ip = f"10.{self._addresses >> 16 & 255}.{self._addresses >> 8 & 255}.{self._addresses & 255}"
        self.by_ec2_id[node.ec2_id] = node
        self.launched.setdefault(group.cluster.cluster_id, []).append(node)
        if node.market is Market.SPOT:
            self._spot_nodes.setdefault((node.instance_type, group.cluster.zone), {})[node] = None
        announcements.instance_changed(kernel, node, "running")
        kernel.engine.after(node.boot_seconds, partial(self._become_ready, node))
        self._when_changed(group.cluster)

    def may_launch(self, instance_type: str, zone: str, market: Market) -> bool:
        """Whether EC2 would launch such an instance now: capacity, an address and the quota of spot allow it."""
        has_capacity = self.pools.has_capacity(instance_type, zone, market)
        return has_capacity and self.free_addresses(zone) > 0 and not self.is_over_quota(market)

    def is_over_quota(self, market: Market) -> bool:
        """Whether the account may have no more instances of a market."""
        quota = self._kernel.settings.spot_quota
        if quota is None or market is not Market.SPOT:
            return False
        return sum(map(len, self._spot_nodes.values())) >= quota

    def _new_volumes(self, node: Node) -> tuple[Ec2Volume, ...]:
        specs = (node.group.cluster.root_volume, *node.data_volumes)
        return tuple(
            Ec2Volume(
                volume_id=self._kernel.new_ec2_id("vol"),
                device="/dev/xvda" if number == 0 else f"/dev/sd{chr(ord('a') + number)}",
                volume_type=spec.volume_type,
                size_gib=spec.size_gib,
                iops=spec.iops,
                throughput_mibps=spec.throughput_mibps,
            )
            for number, spec in enumerate(specs)
        )

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
        if node.market is Market.SPOT:
            self._spot_nodes.get((node.instance_type, cluster.zone), {}).pop(node, None)
        if node.yarn:
            cluster.yarn.remove(node.yarn)
        if group.spec.role is Role.CORE and was_running and cluster.state not in ENDING:
            if node.copied_at is not None and node.copied_at <= self._kernel.now:
                cluster.hdfs.capacity_gib -= node.data_gib
            else:
                speed = self._kernel.settings.re_replication_mib_per_second
                cluster.hdfs.lose(node.data_gib, cluster.replication, self._kernel.now, speed)
        if node.launched_at is not None:
            self._live[cluster.zone] -= 1
            announcements.instance_changed(self._kernel, node, "terminated")
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
        for node in list(self._spot_nodes.get(pool, {})):
            self.warn(node)
