"""The probe on each cluster's primary node: snapshots of YARN on the event bus, as docs/probe.md has them."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from emr_simulator import announcements
from emr_simulator.clusters import Cluster
from emr_simulator.engine import to_stamp
from emr_simulator.kernel import Kernel
from emr_simulator.words import InstanceState, Role


def snapshot_of(cluster: Cluster) -> dict[str, Any]:
    """Return what YARN's ResourceManager shows now, in the words of the event; without the time."""
    yarn = cluster.yarn
    total, allocated = yarn.total_mib, yarn.allocated_mib
    waiting = sum([app.started_at is None for app in yarn.live])
    masters = Counter([app.master for app in yarn.live if app.master is not None])
    nodes: list[dict[str, Any]] = []
    active = dict.fromkeys(Role, 0)
    for group in cluster.groups.values():
        for node in group.nodes:
            manager = node.yarn
            if manager is None or node.state is not InstanceState.RUNNING:
                continue
            active[group.spec.role] += manager.accepts
            nodes.append(
                {
                    "instanceId": node.ec2_id,
                    "state": "RUNNING" if manager.accepts else "DECOMMISSIONING",
                    "containers": manager.containers,
                    "applicationMasters": masters.get(manager, 0),
                    "usedMB": manager.total_mib - manager.free_mib,
                }
            )
    return {
        "clusterId": cluster.cluster_id,
        "activeNodes": active[Role.CORE] + active[Role.TASK],
        "coreNodes": active[Role.CORE],
        "taskNodes": active[Role.TASK],
        "totalMB": total,
        "allocatedMB": allocated,
        "availableMB": total - allocated,
        "pendingMB": yarn.pending_mib,
        "containersAllocated": yarn.running,
        "containersPending": yarn.pending,
        "containersCompleted": yarn.released,
        "appsRunning": len(yarn.live) - waiting,
        "appsPending": waiting,
        "nodes": nodes,
    }


class Probes:
    """The probes of every cluster that has one; silent where the settings name no period."""

    def __init__(self, kernel: Kernel, clusters: Mapping[str, Cluster]) -> None:
        self._kernel = kernel
        self._clusters = clusters
        self._chance = kernel.chance("probe")
        self._sent: dict[str, tuple[int, dict[str, Any]]] = {}
        if kernel.settings.probe_period_seconds:
            kernel.engine.at(self._next_time(), self._tick)

    def _next_time(self) -> int:
        period = self._kernel.settings.probe_period_seconds
        return (self._kernel.now // period + 1) * period

    def _tick(self) -> None:
        self._kernel.engine.look(self._look_at_all)
        self._kernel.engine.at(self._next_time(), self._tick)

    def _look_at_all(self) -> None:
        for cluster in self._clusters.values():
            if cluster.is_up and cluster.spec.has_probe and self._kernel.now >= cluster.probe_held_until:
                self._look_at(cluster)

    def _look_at(self, cluster: Cluster) -> None:
        """Send what has changed, and a heartbeat where nothing has."""
        now, settings = self._kernel.now, self._kernel.settings
        figures = snapshot_of(cluster)
        sent_at, sent = self._sent.get(cluster.cluster_id, (0, {}))
        if figures == sent and now - sent_at < settings.probe_heartbeat_seconds:
            return
        self._sent[cluster.cluster_id] = (now, figures)
        detail = {"clusterId": cluster.cluster_id, "at": to_stamp(now), **figures}
        send = partial(announcements.yarn_snapshot, self._kernel, detail)
        self._kernel.engine.after(settings.probe_publish_delay.draw(self._chance), send)
