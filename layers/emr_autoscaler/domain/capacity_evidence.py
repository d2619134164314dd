"""What decisions on task and on core capacity see alike, and their guards; the rest is in the scene of each."""

from dataclasses import dataclass
from datetime import datetime

from emr_autoscaler.domain.cluster import ClusterState, InstanceGroup
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.operator_change import OperatorChange


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityEvidence:
    """What every decision on capacity sees.

    Attributes:
        now: The time of the decision.
        cluster_id: j-...
        state: State of the cluster.
        is_paused: Suspended by its tag.
        has_managed_scaling: EMR's own managed scaling is on.
        uses_fleets: The cluster has fleets, not groups.
        groups: All instance groups as last seen.
        fleets: All instance fleets as last seen, where the cluster has them.
        metrics: Recent metrics, as long a time as the decision looks back.
        operator_changes: Resizes of the cluster's groups that somebody else ordered lately.
        unseen: Applications of the cluster whose work on its nodes YARN does not see.
    """

    now: datetime
    cluster_id: str
    state: ClusterState
    is_paused: bool = False
    has_managed_scaling: bool = False
    uses_fleets: bool = False
    groups: tuple[InstanceGroup, ...]
    fleets: tuple[InstanceFleet, ...] = ()
    metrics: ClusterMetrics
    operator_changes: tuple[OperatorChange, ...] = ()
    unseen: tuple[str, ...] = ()

    def find_guard(self, *, enabled: bool) -> Reason | None:
        """Return why nothing is decided on this cluster at all, if so; ``enabled`` is the policy's."""
        checks = (
            (not enabled, Reason.DISABLED),
            (self.is_paused, Reason.PAUSED),
            (not self.state.is_ready, Reason.CLUSTER_NOT_READY),
            (self.has_managed_scaling, Reason.MANAGED_ELSEWHERE),
            (self.uses_fleets, Reason.USES_FLEETS),
        )
        return next((reason for applies, reason in checks if applies), None)
