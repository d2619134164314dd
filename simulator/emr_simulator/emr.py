"""The calls of EMR: quotas, and what AWS refuses with which words; what it shows is in shown.py."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from emr_simulator import fleet_refusals, refusals
from emr_simulator.announcements import auto_scaling_changed
from emr_simulator.catalogue import TYPES
from emr_simulator.clusters import Cluster
from emr_simulator.descriptions import (
    ClusterDescription,
    ClusterSpec,
    GroupDescription,
    GroupResize,
    GroupSpec,
    InstanceDescription,
    ManagedScaling,
    StepDescription,
    StepSpec,
)
from emr_simulator.engine import to_seconds
from emr_simulator.errors import invalid_request, validation
from emr_simulator.fleet_calls import FleetCalls
from emr_simulator.shown import show_cluster, show_group, show_node, show_step
from emr_simulator.trail import Caller

_RELEASE = re.compile(r"emr-\d+\.\d+\.\d+")

REMEMBERED_SECONDS = 30 * 86400
"""ListInstances shows what terminated in the last 30 days."""
MAXIMUM_INSTANCES = 2000


class EmrApi(FleetCalls):
    """The calls of EMR that the world answers; each takes its quota and may raise ApiError."""

    def calling_as(self, caller: Caller) -> AbstractContextManager[None]:
        """Let the calls inside the ``with`` block be somebody's, as CloudTrail tells them."""
        return self._trail.calling_as(caller)

    # ------------------------------------------------------------------ looking

    def describe_cluster(self, cluster_id: str) -> ClusterDescription:
        """Return one cluster, ended ones included."""
        self._quotas.take("DescribeCluster")
        return show_cluster(self._cluster(cluster_id))

    def list_clusters(
        self,
        *,
        states: Sequence[str] = (),
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> tuple[ClusterDescription, ...]:
        """Return the clusters that match every argument given, newest first."""
        self._quotas.take("ListClusters")
        return tuple(
            show_cluster(cluster)
            for cluster in reversed(self._lifecycle.clusters.values())
            if (not states or cluster.state in states)
            and (created_after is None or cluster.created_at > to_seconds(created_after))
            and (created_before is None or cluster.created_at < to_seconds(created_before))
        )

    def list_instance_groups(self, cluster_id: str) -> tuple[GroupDescription, ...]:
        """Return the groups of a cluster, oldest first."""
        self._quotas.take("ListInstanceGroups")
        cluster = self._cluster(cluster_id)
        refusals.of_group_calls(cluster, "ListInstanceGroups")
        return tuple(show_group(group) for group in cluster.groups.values())

    def list_instances(
        self,
        cluster_id: str,
        *,
        group_id: str | None = None,
        group_types: Sequence[str] = (),
        states: Sequence[str] = (),
        fleet_id: str | None = None,
        fleet_type: str | None = None,
    ) -> tuple[InstanceDescription, ...]:
        """Return active instances and those of the last 30 days, newest first, at most 2,000."""
        self._quotas.take("ListInstances")
        cluster = self._cluster(cluster_id)
        if group_id is not None or group_types:
            refusals.of_group_calls(cluster, "ListInstances")
        if fleet_id is not None or fleet_type is not None:
            fleet_refusals.of_fleet_calls(cluster, "ListInstances")
        if group_id is not None:
            refusals.of_unknown_group(cluster, group_id)
        if fleet_id is not None:
            fleet_refusals.known_fleet(cluster, fleet_id)
        wanted_id = group_id or fleet_id
        horizon = self._kernel.now - REMEMBERED_SECONDS
        nodes = [
            node
            for group in cluster.groups.values()
            if (wanted_id is None or group.group_id == wanted_id)
            and (not group_types or group.spec.role in group_types)
            and (fleet_type is None or group.spec.role.value == fleet_type)
            for node in group.all_nodes
            if (not states or node.state in states)
            and (node.ended_at is None or (node.ended_at > horizon and node.launched_at is not None))
        ]
        nodes.sort(key=lambda node: node.requested_at, reverse=True)
        return tuple(show_node(node) for node in nodes[:MAXIMUM_INSTANCES])

    def list_supported_instance_types(self, release_label: str) -> tuple[str, ...]:
        """Return the names of the types a release can use, sorted.

        Raises:
            ApiError: The label is none.
        """
        self._quotas.take("ListSupportedInstanceTypes")
        if not _RELEASE.fullmatch(release_label):
            raise invalid_request(f"The supplied release label is invalid: {release_label}.")
        return tuple(sorted(set(TYPES) - set(self._kernel.settings.unsupported_types)))

    def list_steps(self, cluster_id: str, *, states: Sequence[str] = ()) -> tuple[StepDescription, ...]:
        """Return the steps of a cluster, newest first."""
        self._quotas.take("ListSteps")
        steps = reversed(self._cluster(cluster_id).steps)
        return tuple(show_step(step) for step in steps if not states or step.state in states)

    def get_managed_scaling_policy(self, cluster_id: str) -> ManagedScaling | None:
        """Return the managed scaling policy of a cluster, or None."""
        self._quotas.take("GetManagedScalingPolicy")
        return self._cluster(cluster_id).spec.managed_scaling

    # ------------------------------------------------------------------ acting

    def run_job_flow(self, spec: ClusterSpec) -> str:
        """Begin a cluster and return its id."""
        self._quotas.take("RunJobFlow")
        refusals.of_new_cluster(spec, self._kernel.settings.zones)
        return self._lifecycle.create(spec).cluster_id

    def add_job_flow_steps(self, cluster_id: str, steps: Sequence[StepSpec]) -> tuple[str, ...]:
        """Queue steps and return their ids."""
        self._quotas.take("AddJobFlowSteps")
        cluster = self._cluster(cluster_id)
        refusals.of_ended(cluster)
        return tuple(self._lifecycle.add_step(cluster, step) for step in steps)

    def modify_instance_groups(self, cluster_id: str | None, resizes: Sequence[GroupResize]) -> None:
        """Set absolute counts: every entry is checked before the first is carried out."""
        self._quotas.take("ModifyInstanceGroups")
        cluster = self._cluster_of_group(resizes) if cluster_id is None else self._cluster(cluster_id)
        refusals.of_group_calls(cluster, "ModifyInstanceGroups")
        refusals.of_ended(cluster)
        if self._kernel.now < cluster.resizes_refused_until:
            raise validation(cluster.refusal)
        for order in resizes:
            refusals.of_resize(cluster, order)
        boot_seconds = self._lifecycle.resizer.draw_boot_seconds()
        for order in resizes:
            self._lifecycle.resizer.resize(cluster.groups[order.group_id], order, boot_seconds)
        named = [{"instanceGroupId": order.group_id, "instanceCount": order.count} for order in resizes]
        self._trail.record("ModifyInstanceGroups", {"clusterId": cluster.cluster_id, "instanceGroups": named})

    def add_instance_groups(self, cluster_id: str, groups: Sequence[GroupSpec]) -> tuple[str, ...]:
        """Add task groups and return their ids, in order."""
        self._quotas.take("AddInstanceGroups")
        cluster = self._cluster(cluster_id)
        refusals.of_group_calls(cluster, "AddInstanceGroups")
        refusals.of_ended(cluster)
        refusals.of_new_groups(cluster, groups)
        named = [{"instanceRole": group.role.value, "instanceCount": group.count} for group in groups]
        self._trail.record("AddInstanceGroups", {"jobFlowId": cluster_id, "instanceGroups": named})
        return self._lifecycle.add_groups(cluster, tuple(groups))

    def terminate_job_flows(self, cluster_ids: Sequence[str]) -> None:
        """Begin to end clusters; ended ones are left as they are."""
        self._quotas.take("TerminateJobFlows")
        refusals.of_too_many_clusters(cluster_ids)
        clusters = [self._cluster(cluster_id) for cluster_id in cluster_ids]
        refusals.of_protected(clusters)
        for cluster in clusters:
            self._lifecycle.terminate(cluster, "USER_REQUEST", "Terminated by user request")

    def set_termination_protection(self, cluster_ids: Sequence[str], *, protected: bool) -> None:
        """Switch termination protection."""
        self._quotas.take("SetTerminationProtection")
        for cluster in [self._cluster(cluster_id) for cluster_id in cluster_ids]:
            refusals.of_ended(cluster)
            cluster.protected = protected
        request = {"jobFlowIds": list(cluster_ids), "terminationProtected": protected}
        self._trail.record("SetTerminationProtection", request)

    def add_tags(self, cluster_id: str, tags: Mapping[str, str]) -> None:
        """Add or replace tags of a cluster."""
        self._quotas.take("AddTags")
        cluster = self._cluster(cluster_id)
        if any(key.startswith("aws:") for key in tags):
            raise validation("Tag keys that start with aws: are reserved.")
        cluster.tags.update(tags)
        named = [{"key": key, "value": value} for key, value in tags.items()]
        self._trail.record("AddTags", {"resourceId": cluster_id, "tags": named})

    def remove_tags(self, cluster_id: str, keys: Sequence[str]) -> None:
        """Remove tags of a cluster; unknown keys are ignored."""
        self._quotas.take("RemoveTags")
        cluster = self._cluster(cluster_id)
        for key in keys:
            cluster.tags.pop(key, None)
        self._trail.record("RemoveTags", {"resourceId": cluster_id, "tagKeys": list(keys)})

    # ------------------------------------------------------------------ scaling by EMR itself

    def put_managed_scaling_policy(self, cluster_id: str, policy: ManagedScaling) -> None:
        """Attach a managed scaling policy; the world resizes nothing by it."""
        self._set_managed_scaling("PutManagedScalingPolicy", cluster_id, policy)

    def remove_managed_scaling_policy(self, cluster_id: str) -> None:
        """Detach the managed scaling policy, where there is one."""
        self._set_managed_scaling("RemoveManagedScalingPolicy", cluster_id, None)

    def _set_managed_scaling(self, operation: str, cluster_id: str, policy: ManagedScaling | None) -> None:
        self._quotas.take(operation)
        cluster = self._cluster(cluster_id)
        refusals.of_ended(cluster)
        cluster.spec = replace(cluster.spec, managed_scaling=policy)
        self._trail.record(operation, {"clusterId": cluster_id})

    def put_auto_scaling_policy(self, cluster_id: str, group_id: str) -> None:
        """Attach an automatic scaling policy to a group; the world resizes nothing by it."""
        self._set_auto_scaling("PutAutoScalingPolicy", cluster_id, group_id, attached=True)

    def remove_auto_scaling_policy(self, cluster_id: str, group_id: str) -> None:
        """Detach the automatic scaling policy of a group, where there is one."""
        self._set_auto_scaling("RemoveAutoScalingPolicy", cluster_id, group_id, attached=False)

    def _set_auto_scaling(self, operation: str, cluster_id: str, group_id: str, *, attached: bool) -> None:
        self._quotas.take(operation)
        cluster = self._cluster(cluster_id)
        refusals.of_ended(cluster)
        refusals.of_unknown_group(cluster, group_id)
        group = cluster.groups[group_id]
        group.spec = replace(group.spec, has_auto_scaling_policy=attached)
        auto_scaling_changed(self._kernel, group, "ATTACHED" if attached else "DETACHED")
        self._trail.record(operation, {"clusterId": cluster_id, "instanceGroupId": group_id})

    # ------------------------------------------------------------------ inside

    def arn_of(self, cluster_id: str) -> str:
        """Return the ARN of a cluster; no call of EMR, so it takes no quota."""
        return self._cluster(cluster_id).arn

    def _cluster_of_group(self, resizes: Sequence[GroupResize]) -> Cluster:
        wanted = resizes[0].group_id if resizes else ""
        for cluster in self._lifecycle.clusters.values():
            if wanted in cluster.groups:
                return cluster
        raise refusals.unknown_group(wanted)
