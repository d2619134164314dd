"""What EC2 runs for clusters: what it would launch, and what each instance then has: ids, an address, volumes.

Which nodes are asked for and when they go is resizing.py's; how instances are shown is ec2.py's.
"""

from collections import Counter
from collections.abc import Callable

from emr_simulator import announcements
from emr_simulator.clusters import Node
from emr_simulator.descriptions import Ec2Volume
from emr_simulator.kernel import Kernel
from emr_simulator.spot import PoolName, Pools
from emr_simulator.words import Market

INTERRUPTED = "Server.SpotInstanceTermination"
BY_EMR = "Client.UserInitiatedShutdown"


class Instances:
    """The instances of all clusters.

    Attributes:
        pools: Where capacity comes from.
        by_ec2_id: Every node that was launched, those that are gone included.
        of_cluster: The same by cluster id, oldest first.
    """

    def __init__(self, kernel: Kernel, *, when_interrupted: Callable[[PoolName], None]) -> None:
        self._kernel = kernel
        self.pools = Pools(kernel, when_interrupted)
        self.by_ec2_id: dict[str, Node] = {}
        self.of_cluster: dict[str, list[Node]] = {}
        self._spot: dict[PoolName, dict[Node, None]] = {}
        self._addresses = 0
        self._live: Counter[str] = Counter()

    def free_addresses(self, zone: str) -> int:
        """Return how many addresses the subnet of a zone has left."""
        return max(0, self._kernel.settings.subnet_addresses - self._live[zone])

    def may_launch(self, instance_type: str, zone: str, market: Market) -> bool:
        """Whether EC2 would launch such an instance now: capacity, an address and the quota of spot allow it."""
        has_capacity = self.pools.has_capacity(instance_type, zone, market)
        return has_capacity and self.free_addresses(zone) > 0 and not self.is_over_quota(market)

    def is_over_quota(self, market: Market) -> bool:
        """Whether the account may have no more instances of a market."""
        quota = self._kernel.settings.spot_quota
        if quota is None or market is not Market.SPOT:
            return False
        return sum(map(len, self._spot.values())) >= quota

    def launch(self, node: Node) -> None:
        """Launch a node that its pool has."""
        kernel, cluster = self._kernel, node.group.cluster
        node.launched_at = kernel.now
        self._live[cluster.zone] += 1
        node.ec2_id = kernel.new_ec2_id("i")
        node.volumes = self._new_volumes(node)
        self._addresses += 1
        node.private_ip = f"10.{self._addresses >> 16 & 255}.{self._addresses >> 8 & 255}.{self._addresses & 255}"
        self.by_ec2_id[node.ec2_id] = node
        self.of_cluster.setdefault(cluster.cluster_id, []).append(node)
        if node.market is Market.SPOT:
            self._spot.setdefault((node.instance_type, cluster.zone), {})[node] = None
        announcements.instance_changed(kernel, node, "running")

    def terminate(self, node: Node) -> None:
        """Let go of a node that has ended; one that was never launched held nothing."""
        if node.launched_at is None:
            return
        zone = node.group.cluster.zone
        if node.market is Market.SPOT:
            self._spot[node.instance_type, zone].pop(node)
        self._live[zone] -= 1
        announcements.instance_changed(self._kernel, node, "terminated")

    def on_spot(self, pool: PoolName) -> tuple[Node, ...]:
        """Return what runs in a spot pool."""
        return tuple(self._spot.get(pool, ()))

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
