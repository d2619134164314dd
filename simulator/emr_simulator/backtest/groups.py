"""The groups a replay begins with: which there are, how large their nodes are, and how many stand in each."""

from collections.abc import Mapping
from datetime import timedelta

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Role
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.pool_selection import Availability, select_pools, types_in_question
from emr_simulator.backtest.recording import Recording
from emr_simulator.backtest.replayed_nodes import ReplayedGroup
from emr_simulator.backtest.sizes import measured_mib, mib_of
from emr_simulator.backtest.work import Work
from emr_simulator.errors import RecordingError


def node_sizes(recording: Recording, work: Work, policy: TaskPolicy) -> dict[str, float]:
    """Return the YARN memory of a node by type: as recorded where one type is all there is, else by the table."""
    measured = measured_mib(work)
    found = {name: mib_of(name, recording, measured) for name in recording.types | set(types_in_question(policy))}
    return {name: size for name, size in found.items() if size}


def core_type(recording: Recording) -> str:
    """Return the type of the core nodes: metrics tell no more than one apart."""
    return next(iter(recording.core_types), "")


def task_groups(
    recording: Recording,
    work: Work,
    policy: TaskPolicy,
    *,
    boot: timedelta,
    node_mib: Mapping[str, float],
) -> list[ReplayedGroup]:
    """Return the groups that were there, holding the recorded nodes, and those that enrolment adds.

    Raises:
        RecordingError: There are none.
    """
    kinds = [(group.market, group.instance_type) for group in recording.of_role(Role.TASK)]
    there = len(kinds)
    described = [
        InstanceGroup(
            group_id="",
            role=Role.TASK,
            market=market,
            instance_type=instance_type,
            requested_count=0,
            running_count=0,
            state=GroupState.RUNNING,
        )
        for market, instance_type in kinds
    ]
    types = frozenset(types_in_question(policy))  # a recording does not say what else could be had
    selected = select_pools(described, policy, Availability(supported=types, offered=types))
    kinds += [(group.market, group.instance_type) for group in selected.groups]
    if not kinds:
        problem = "there is no task group, and the policy's task.instance_types names none to create"
        raise RecordingError(path=recording.source, problem=problem)
    nodes = round(work.readings[0].task_nodes)
    return [
        ReplayedGroup(
            group_id=f"{market.lower().replace('_', '-')}-{instance_type}",
            market=market,
            instance_type=instance_type,
            node_mib=node_mib.get(instance_type, 0.0),
            boot=boot,
            drain=min(timedelta(seconds=work.task_seconds), policy.decommission_timeout),
            running=(nodes + there - 1 - index) // there if index < there else 0,
        )
        for index, (market, instance_type) in enumerate(kinds)
    ]
