"""Which group or fleet a node belongs to that a probe tells of: remembered, else from EC2, seldom from EMR."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.fleet_steps import fleet_of, side_id
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.ports import ClusterReader, Compute, ComputeInstance


def find_node_groups(
    evidence: TaskEvidence, groups: Sequence[InstanceGroup], compute: Compute, reader: ClusterReader
) -> Mapping[str, str]:
    """Return EC2 id to group id for the nodes of the evidence, as far as anybody knows.

    EC2's tags name role, and a cluster seldom has two groups of one role, type and market: then EMR is asked.
    """
    known = evidence.node_groups
    unknown = {node.ec2_instance_id for node in evidence.nodes} - known.keys()
    if not unknown:
        return known
    instances = [i for i in compute.find_cluster_instances(evidence.cluster_id) if i.ec2_instance_id in unknown]
    fitting = {i.ec2_instance_id: _fitting(i, groups) for i in instances}
    found = {ec2_id: ids[0] for ec2_id, ids in fitting.items() if len(ids) == 1}
    if any(len(ids) > 1 for ids in fitting.values()):
        listed = reader.list_instances(evidence.cluster_id)
        found |= {i.ec2_instance_id: i.group_id for i in listed if i.ec2_instance_id in unknown}
    return {**known, **found}


def with_fleet_nodes(evidence: TaskEvidence, compute: Compute) -> TaskEvidence:
    """Return the evidence with the fleet of each of its nodes; EC2's tags tell the role, and that has one."""
    unknown = {node.ec2_instance_id for node in evidence.nodes} - evidence.node_groups.keys()
    if not unknown:
        return evidence
    groups, units = dict(evidence.node_groups), dict(evidence.node_units)
    for found in compute.find_cluster_instances(evidence.cluster_id):
        fleet = None if found.role is None else fleet_of(evidence.fleets, found.role)
        if fleet is None or found.ec2_instance_id not in unknown:
            continue
        groups[found.ec2_instance_id] = side_id(fleet.fleet_id, found.market)
        if fleet.role is Role.TASK and not fleet.has_one_size:
            of_type = {kind.instance_type: kind.units for kind in fleet.types}
            units[found.ec2_instance_id] = of_type.get(found.instance_type, 1)
    return replace(evidence, node_groups=groups, node_units=units)


def task_nodes(evidence: TaskEvidence) -> Mapping[str, str]:
    """Return what is worth remembering: the nodes that are still told of, of task groups or the task fleet."""
    task_groups = {group.group_id for group in evidence.groups if group.role is Role.TASK}
    task_groups |= {side_id(f.fleet_id, m) for f in evidence.fleets if f.role is Role.TASK for m in Market}
    known = ((node.ec2_instance_id, evidence.node_groups.get(node.ec2_instance_id, "")) for node in evidence.nodes)
    return {ec2_id: group_id for ec2_id, group_id in known if group_id in task_groups}


def _fitting(instance: ComputeInstance, groups: Sequence[InstanceGroup]) -> list[str]:
    wanted = (instance.role, instance.instance_type, instance.market)
    return [g.group_id for g in groups if (g.role, g.instance_type, g.market) == wanted]
