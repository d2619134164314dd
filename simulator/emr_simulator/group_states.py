"""The state of an instance group as its nodes have it, and its announcement."""

from emr_simulator.announcements import group_changed
from emr_simulator.clusters import Group
from emr_simulator.kernel import Kernel
from emr_simulator.words import ENDING, GroupState, InstanceState

_STARTING = {GroupState.PROVISIONING, GroupState.BOOTSTRAPPING}


def refresh(kernel: Kernel, group: Group) -> None:
    """Move the group's state to what its nodes say, and announce it."""
    if group.held or group.cluster.state in ENDING:
        return
    settled = len(group.nodes) == group.requested and all(
        node.state is InstanceState.RUNNING and not node.draining for node in group.nodes
    )
    if group.state in _STARTING and settled:
        group.state = GroupState.RUNNING
        group.ready_at = kernel.now
        group_changed(kernel, group, f"The {{group}} runs {group.running} instances.")
    elif group.state is GroupState.RESIZING and settled:
        group.state = GroupState.RUNNING
        minutes = (kernel.now - group.resize_began_at) // 60
        group_changed(
            kernel,
            group,
            f"The resizing operation for {{group}} is complete. It now has an instance count of "
            f"{group.running}. The resize took {minutes} minutes to complete.",
        )
    elif group.state is GroupState.RUNNING and not settled:
        group.state = GroupState.RESIZING
        announce_resize(kernel, group, group.running)


def announce_resize(kernel: Kernel, group: Group, before: int) -> None:
    """Note the beginning of a resize, and announce it."""
    group.resize_began_at = kernel.now
    group_changed(
        kernel,
        group,
        f"A resize for {{group}} was initiated. It is resizing from an instance count of {before} to "
        f"{group.requested}.",
    )
