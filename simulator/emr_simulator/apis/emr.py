"""EMR's operations in botocore's shapes; what they do is the World's. Shapes of answers are in emr_shapes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from emr_simulator.apis import emr_fleets, emr_shapes
from emr_simulator.apis.emr_fleets import read_volumes, refuse
from emr_simulator.apis.operations import OperationTable, Parameters, Result, page, present, tag_map
from emr_simulator.catalogue import TYPES
from emr_simulator.descriptions import (
    ClusterSpec,
    GroupResize,
    GroupSpec,
    ManagedScaling,
    StepSpec,
)
from emr_simulator.emr import EmrApi
from emr_simulator.errors import ApiError, invalid_request, validation
from emr_simulator.words import Market, Role

CLUSTERS_PER_PAGE = 50
STEPS_PER_PAGE = 50
GROUPS_PER_PAGE = 50
INSTANCES_PER_PAGE = 500
TYPES_PER_PAGE = 20


class EmrOperations(OperationTable):
    """The EMR API of a World."""

    def __init__(self, emr: EmrApi) -> None:
        self._emr = emr
        super().__init__(
            {
                "AddInstanceFleet": self._add_instance_fleet,
                "AddInstanceGroups": self._add_instance_groups,
                "AddJobFlowSteps": self._add_job_flow_steps,
                "AddTags": self._add_tags,
                "DescribeCluster": self._describe_cluster,
                "GetManagedScalingPolicy": self._get_managed_scaling_policy,
                "ListClusters": self._list_clusters,
                "ListInstanceFleets": self._list_instance_fleets,
                "ListInstanceGroups": self._list_instance_groups,
                "ListInstances": self._list_instances,
                "ListSteps": self._list_steps,
                "ListSupportedInstanceTypes": self._list_supported_instance_types,
                "ModifyInstanceFleet": self._modify_instance_fleet,
                "ModifyInstanceGroups": self._modify_instance_groups,
                "PutAutoScalingPolicy": self._put_auto_scaling_policy,
                "PutManagedScalingPolicy": self._put_managed_scaling_policy,
                "RemoveAutoScalingPolicy": self._remove_auto_scaling_policy,
                "RemoveManagedScalingPolicy": self._remove_managed_scaling_policy,
                "RemoveTags": self._remove_tags,
                "RunJobFlow": self._run_job_flow,
                "SetTerminationProtection": self._set_termination_protection,
                "TerminateJobFlows": self._terminate_job_flows,
            }
        )

    def _describe_cluster(self, parameters: Parameters) -> Result:
        return {"Cluster": emr_shapes.cluster(self._emr.describe_cluster(parameters["ClusterId"]))}

    def _list_supported_instance_types(self, parameters: Parameters) -> Result:
        names = self._emr.list_supported_instance_types(parameters["ReleaseLabel"])
        chosen, marker = page(
            names,
            name=str,
            after=parameters.get("Marker"),
            size=TYPES_PER_PAGE,
            refusal=lambda token: invalid_request(f"Marker '{token}' is not valid."),
        )
        kinds = [emr_shapes.supported_type(TYPES[name]) for name in chosen]
        return present(SupportedInstanceTypes=kinds, Marker=marker)

    def _get_managed_scaling_policy(self, parameters: Parameters) -> Result:
        policy = self._emr.get_managed_scaling_policy(parameters["ClusterId"])
        if policy is None:
            return {}
        limits = {
            "UnitType": policy.unit_type,
            "MinimumCapacityUnits": policy.minimum_units,
            "MaximumCapacityUnits": policy.maximum_units,
        }
        return {"ManagedScalingPolicy": {"ComputeLimits": limits}}

    def _list_clusters(self, parameters: Parameters) -> Result:
        clusters = self._emr.list_clusters(
            states=parameters.get("ClusterStates", ()),
            created_after=parameters.get("CreatedAfter"),
            created_before=parameters.get("CreatedBefore"),
        )
        chosen, marker = page(
            clusters,
            name=lambda cluster: cluster.cluster_id,
            after=parameters.get("Marker"),
            size=CLUSTERS_PER_PAGE,
            refusal=_bad_marker,
        )
        return present(Clusters=[emr_shapes.cluster_summary(cluster) for cluster in chosen], Marker=marker)

    def _list_instance_groups(self, parameters: Parameters) -> Result:
        chosen, marker = page(
            self._emr.list_instance_groups(parameters["ClusterId"]),
            name=lambda group: group.group_id,
            after=parameters.get("Marker"),
            size=GROUPS_PER_PAGE,
            refusal=_bad_marker,
        )
        return present(InstanceGroups=[emr_shapes.group(group) for group in chosen], Marker=marker)

    def _list_instance_fleets(self, parameters: Parameters) -> Result:
        fleets = self._emr.list_instance_fleets(parameters["ClusterId"])
        return {"InstanceFleets": [emr_fleets.fleet(fleet) for fleet in fleets]}

    def _modify_instance_fleet(self, parameters: Parameters) -> Result:
        self._emr.modify_instance_fleet(
            parameters["ClusterId"], emr_fleets.read_resize(parameters["InstanceFleet"])
        )
        return {}

    def _add_instance_fleet(self, parameters: Parameters) -> Result:
        cluster_id = parameters["ClusterId"]
        fleet_id = self._emr.add_instance_fleet(cluster_id, emr_fleets.read_fleet(parameters["InstanceFleet"]))
        arn = self._emr.arn_of(cluster_id)
        return {"ClusterId": cluster_id, "InstanceFleetId": fleet_id, "ClusterArn": arn}

    def _list_instances(self, parameters: Parameters) -> Result:
        instances = self._emr.list_instances(
            parameters["ClusterId"],
            group_id=parameters.get("InstanceGroupId"),
            group_types=parameters.get("InstanceGroupTypes", ()),
            states=parameters.get("InstanceStates", ()),
            fleet_id=parameters.get("InstanceFleetId"),
            fleet_type=parameters.get("InstanceFleetType"),
        )
        chosen, marker = page(
            instances,
            name=lambda instance: instance.instance_id,
            after=parameters.get("Marker"),
            size=INSTANCES_PER_PAGE,
            refusal=_bad_marker,
        )
        return present(Instances=[emr_shapes.instance(instance) for instance in chosen], Marker=marker)

    def _list_steps(self, parameters: Parameters) -> Result:
        wanted = set(parameters.get("StepIds", ()))
        steps = [
            step
            for step in self._emr.list_steps(parameters["ClusterId"], states=parameters.get("StepStates", ()))
            if not wanted or step.step_id in wanted
        ]
        chosen, marker = page(
            steps,
            name=lambda step: step.step_id,
            after=parameters.get("Marker"),
            size=STEPS_PER_PAGE,
            refusal=_bad_marker,
        )
        return present(Steps=[emr_shapes.step(step) for step in chosen], Marker=marker)

    def _modify_instance_groups(self, parameters: Parameters) -> Result:
        resizes = [_resize(entry) for entry in parameters.get("InstanceGroups", ())]
        if not resizes:
            raise validation("Please provide a list of instance groups.")
        self._emr.modify_instance_groups(parameters.get("ClusterId"), resizes)
        return {}

    def _add_instance_groups(self, parameters: Parameters) -> Result:
        cluster_id = parameters["JobFlowId"]
        ids = self._emr.add_instance_groups(cluster_id, [_group(group) for group in parameters["InstanceGroups"]])
        return {"JobFlowId": cluster_id, "InstanceGroupIds": list(ids)}

    def _terminate_job_flows(self, parameters: Parameters) -> Result:
        self._emr.terminate_job_flows(parameters["JobFlowIds"])
        return {}

    def _set_termination_protection(self, parameters: Parameters) -> Result:
        self._emr.set_termination_protection(
            parameters["JobFlowIds"], protected=parameters["TerminationProtected"]
        )
        return {}

    def _add_tags(self, parameters: Parameters) -> Result:
        self._emr.add_tags(parameters["ResourceId"], tag_map(parameters["Tags"]))
        return {}

    def _remove_tags(self, parameters: Parameters) -> Result:
        self._emr.remove_tags(parameters["ResourceId"], parameters["TagKeys"])
        return {}

    def _put_managed_scaling_policy(self, parameters: Parameters) -> Result:
        limits = parameters["ManagedScalingPolicy"]["ComputeLimits"]
        self._emr.put_managed_scaling_policy(parameters["ClusterId"], _managed_scaling(limits))
        return {}

    def _remove_managed_scaling_policy(self, parameters: Parameters) -> Result:
        self._emr.remove_managed_scaling_policy(parameters["ClusterId"])
        return {}

    def _put_auto_scaling_policy(self, parameters: Parameters) -> Result:
        cluster_id, group_id = parameters["ClusterId"], parameters["InstanceGroupId"]
        self._emr.put_auto_scaling_policy(cluster_id, group_id)
        return {"ClusterId": cluster_id, "InstanceGroupId": group_id}

    def _remove_auto_scaling_policy(self, parameters: Parameters) -> Result:
        self._emr.remove_auto_scaling_policy(parameters["ClusterId"], parameters["InstanceGroupId"])
        return {}

    def _run_job_flow(self, parameters: Parameters) -> Result:
        cluster_id = self._emr.run_job_flow(_cluster(parameters))
        return {"JobFlowId": cluster_id}

    def _add_job_flow_steps(self, parameters: Parameters) -> Result:
        steps = [_step(step) for step in parameters["Steps"]]
        return {"StepIds": list(self._emr.add_job_flow_steps(parameters["JobFlowId"], steps))}


def _bad_marker(marker: str) -> ApiError:
    return invalid_request(f"Marker '{marker}' is not valid.")


def _resize(entry: Mapping[str, Any]) -> GroupResize:
    refuse(entry, "ReconfigurationType", "Configurations")
    shrink = entry.get("ShrinkPolicy", {})
    instances = shrink.get("InstanceResizePolicy", {})
    return GroupResize(
        group_id=entry["InstanceGroupId"],
        count=entry.get("InstanceCount"),
        decommission_timeout_seconds=shrink.get("DecommissionTimeout"),
        instances_to_terminate=tuple(instances.get("InstancesToTerminate", ())),
        instances_to_protect=tuple(instances.get("InstancesToProtect", ())),
        instance_termination_timeout_seconds=instances.get("InstanceTerminationTimeout"),
        ec2_instance_ids_to_terminate=tuple(entry.get("EC2InstanceIdsToTerminate", ())),
    )


def _group(entry: Mapping[str, Any]) -> GroupSpec:
    devices = entry.get("EbsConfiguration", {}).get("EbsBlockDeviceConfigs")
    bid = entry.get("BidPrice")
    return GroupSpec(
        role=Role(entry["InstanceRole"]),
        market=Market(entry.get("Market", "ON_DEMAND")),
        instance_type=entry["InstanceType"],
        count=entry["InstanceCount"],
        name=entry.get("Name", ""),
        bid_price_usd=Decimal(bid) if bid is not None else None,
        volumes=read_volumes(devices) if devices else None,
        has_auto_scaling_policy="AutoScalingPolicy" in entry,
    )


def _step(entry: Mapping[str, Any]) -> StepSpec:
    return StepSpec(name=entry["Name"], action_on_failure=entry.get("ActionOnFailure", "CONTINUE"))


def _cluster(parameters: Parameters) -> ClusterSpec:
    instances = parameters["Instances"]
    refuse(instances, "InstanceCount")
    limits = parameters.get("ManagedScalingPolicy", {}).get("ComputeLimits")
    replication = next(
        (
            int(configuration["Properties"]["dfs.replication"])
            for configuration in parameters.get("Configurations", ())
            if configuration.get("Classification") == "hdfs-site"
            and "dfs.replication" in configuration.get("Properties", {})
        ),
        None,
    )
    return ClusterSpec(
        name=parameters["Name"],
        groups=tuple(_group(group) for group in instances.get("InstanceGroups", ())),
        fleets=tuple(emr_fleets.read_fleet(fleet) for fleet in instances.get("InstanceFleets", ())),
        steps=tuple(_step(step) for step in parameters.get("Steps", ())),
        release_label=parameters.get("ReleaseLabel", "emr-7.2.0"),
        applications=tuple(application["Name"] for application in parameters.get("Applications", ())),
        tags=tag_map(parameters.get("Tags", ())),
        termination_protected=instances.get("TerminationProtected", False),
        auto_terminate=not instances.get("KeepJobFlowAliveWhenNoSteps", False),
        availability_zone=instances.get("Placement", {}).get("AvailabilityZone"),
        dfs_replication=replication,
        managed_scaling=_managed_scaling(limits) if limits else None,
    )


def _managed_scaling(limits: Mapping[str, Any]) -> ManagedScaling:
    return ManagedScaling(
        minimum_units=limits["MinimumCapacityUnits"],
        maximum_units=limits["MaximumCapacityUnits"],
        unit_type=limits["UnitType"],
    )
