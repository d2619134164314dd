"""YARN memory per node: the published table, and what to assume where a type is not in it."""

from collections.abc import Mapping
from types import MappingProxyType

from emr_autoscaler.domain.cluster import InstanceGroup
from emr_autoscaler.domain.instance_types import known_types

YARN_MIB_PER_NODE: Mapping[str, int] = MappingProxyType(
    {
        "m5.xlarge": 12288,
        "m5.2xlarge": 24576,
        "m5.4xlarge": 57344,
        "m5.8xlarge": 122880,
        "m5.12xlarge": 188416,
        "r5.xlarge": 24576,
        "r5.2xlarge": 57344,
        "r5.4xlarge": 122880,
        "c5.xlarge": 6144,
        "c5.2xlarge": 12288,
        "c5.4xlarge": 24576,
        "m6g.xlarge": 11712,
        "m6g.2xlarge": 23424,
        "m6g.4xlarge": 54272,
    }
)
"""yarn.nodemanager.resource.memory-mb by type (EMR Release Guide, task configuration)."""

YARN_MIB_BY_MEMORY_GIB: Mapping[int, int] = MappingProxyType(
    {8: 6144, 16: 12288, 32: 24576, 64: 57344, 128: 122880, 192: 188416}
)
"""The same table by the node's memory: on x86 every published value depends on nothing else."""

FIRST_CONTAINER_MIB = 3072.0
"""Memory of a container where none was ever seen: EMR's map container on m5.xlarge."""


def yarn_mib_per_node(instance_type: str, *, learned: float | None) -> float | None:
    """Return the YARN memory of one node.

    Args:
        instance_type: For instance m5.xlarge.
        learned: MiB per node measured on the cluster itself, used for types not in the table.

    Returns:
        MiB, or None where neither the table nor the cluster knows: nothing is guessed.
    """
    known = YARN_MIB_PER_NODE.get(instance_type)
    if known is None:
        described = known_types().get(instance_type)
        known = YARN_MIB_BY_MEMORY_GIB.get(described.memory_gib) if described and described.is_x86 else None
    return float(known) if known is not None else learned


def yarn_mib_of(group: InstanceGroup, *, learned: float | None) -> float | None:
    """Return the YARN memory of one node of a group, or of one step of a fleet; ``learned`` as above."""
    if group.fleet_id:
        return group.node_mib
    return yarn_mib_per_node(group.instance_type, learned=learned)
