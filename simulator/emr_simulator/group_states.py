"""The state of an instance group as its nodes have it, and its announcement."""

from emr_simulator.announcements import fleet_resize_began, group_changed
from emr_simulator.clusters import Group
from emr_simulator.fleets import Fleet
from emr_simulator.kernel import Kernel
from emr_simulator.words import ENDING, GroupState

_STARTING = {GroupState.PROVISIONING, GroupState.BOOTSTRAPPING}


def refresh(kernel: Kernel, group: Group) -> None:
    """Move the group's state to what its nodes say, and announce it."""
    if group.held or group.cluster.state in ENDING:
        return
    settled = group.is_settled
    if isinstance(group, Fleet):
        group.requested = len(group.active)
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
            f"The resizing operation for {{group}} is complete. {group.size_in_words} "
            f"The resize took {minutes} minutes to complete.",
        )
    elif group.state is GroupState.RUNNING and not settled:
        group.state = GroupState.RESIZING
        if isinstance(group, Fleet):
            group.resize_began_at = kernel.now
            fleet_resize_began(kernel, group)
        else:
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
