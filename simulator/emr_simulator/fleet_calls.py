"""The calls of EMR about instance fleets; those about clusters and groups are in emr.py."""

from dataclasses import replace

from emr_simulator import fleet_refusals, refusals
from emr_simulator.clusters import Cluster
from emr_simulator.engine import to_moment, to_moment_or_none
from emr_simulator.errors import validation
from emr_simulator.fleet_descriptions import FleetDescription, FleetResize, FleetSpec
from emr_simulator.fleets import Fleet
from emr_simulator.kernel import Kernel
from emr_simulator.lifecycle import Lifecycle
from emr_simulator.quotas import Quotas
from emr_simulator.trail import Trail
from emr_simulator.words import Market


class FleetCalls:
    """The part of EmrApi that is about instance fleets."""

    def __init__(self, kernel: Kernel, lifecycle: Lifecycle, quotas: Quotas) -> None:
        self._kernel = kernel
        self._lifecycle = lifecycle
        self._quotas = quotas
        self._trail = Trail(kernel)

    def list_instance_fleets(self, cluster_id: str) -> tuple[FleetDescription, ...]:
        """Return the fleets of a cluster, oldest first."""
        self._quotas.take("ListInstanceFleets")
        cluster = self._cluster(cluster_id)
        fleet_refusals.of_fleet_calls(cluster, "ListInstanceFleets")
        return tuple(_show_fleet(group) for group in cluster.groups.values() if isinstance(group, Fleet))

    def modify_instance_fleet(self, cluster_id: str, order: FleetResize) -> None:
        """Set absolute targets of one fleet."""
        self._quotas.take("ModifyInstanceFleet")
        cluster = self._cluster(cluster_id)
        fleet_refusals.of_fleet_calls(cluster, "ModifyInstanceFleet")
        refusals.of_ended(cluster)
        if self._kernel.now < cluster.resizes_refused_until:
            raise validation(cluster.refusal)
        fleet_refusals.of_resize(cluster, order)
        units = {"targetOnDemandCapacity": order.on_demand_units, "targetSpotCapacity": order.spot_units}
        self._trail.record(
            "ModifyInstanceFleet",
            {"clusterId": cluster_id, "instanceFleet": {"instanceFleetId": order.fleet_id, **units}},
        )
        self._lifecycle.fleets.order(fleet_refusals.known_fleet(cluster, order.fleet_id), order)

    def add_instance_fleet(self, cluster_id: str, spec: FleetSpec) -> str:
        """Add a task fleet and return its id."""
        self._quotas.take("AddInstanceFleet")
        cluster = self._cluster(cluster_id)
        fleet_refusals.of_fleet_calls(cluster, "AddInstanceFleet")
        refusals.of_ended(cluster)
        fleet_refusals.of_added_fleet(cluster, spec)
        named = {
            "instanceFleetType": spec.role.value,
            "targetOnDemandCapacity": spec.on_demand_units,
            "targetSpotCapacity": spec.spot_units,
        }
        self._trail.record("AddInstanceFleet", {"clusterId": cluster_id, "instanceFleet": named})
        return self._lifecycle.fleets.create(cluster, spec).group_id

    def _cluster(self, cluster_id: str) -> Cluster:
        return refusals.known_cluster(self._lifecycle.clusters, cluster_id)


def _show_fleet(fleet: Fleet) -> FleetDescription:
    return FleetDescription(
        fleet_id=fleet.group_id,
        name=fleet.spec.name,
        role=fleet.spec.role,
        state=fleet.state,
        state_change_message=fleet.message,
        created_at=to_moment(fleet.created_at),
        ready_at=to_moment_or_none(fleet.ready_at),
        ended_at=to_moment_or_none(fleet.ended_at),
        target_on_demand_units=fleet.targets[Market.ON_DEMAND],
        target_spot_units=fleet.targets[Market.SPOT],
        provisioned_on_demand_units=fleet.provisioned(Market.ON_DEMAND),
        provisioned_spot_units=fleet.provisioned(Market.SPOT),
        types=tuple(replace(kind, volumes=fleet.volumes_of(kind.instance_type)) for kind in fleet.fleet.types),
    )
