"""How clusters begin, run their steps and end; nodes are resizing.py's."""

from functools import partial

from emr_simulator import announcements
from emr_simulator.clusters import Cluster, Group, StepRun, default_replication
from emr_simulator.descriptions import ClusterSpec, GroupSpec, StepSpec
from emr_simulator.fleet_descriptions import FleetSpec
from emr_simulator.fleet_resizing import FleetResizer
from emr_simulator.group_states import refresh
from emr_simulator.hdfs import Hdfs
from emr_simulator.instances import BY_EMR
from emr_simulator.kernel import Kernel
from emr_simulator.resizing import Resizer
from emr_simulator.words import ENDING, ClusterState, GroupState, InstanceState, Role, StepState
from emr_simulator.workloads.model import Job
from emr_simulator.yarn import Yarn

NEW_GROUP_SECONDS = 10
"""How long a group that is added empty stays in PROVISIONING."""


class Lifecycle:
    """Every cluster of the world."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.clusters: dict[str, Cluster] = {}
        self.resizer = Resizer(kernel, when_changed=self._nodes_changed, when_master_lost=self._master_lost)
        self.fleets = FleetResizer(kernel, self.resizer)

    # ------------------------------------------------------------------ beginning

    def create(self, spec: ClusterSpec) -> Cluster:
        """Begin a cluster; its values have been checked."""
        kernel = self._kernel
        settings = kernel.settings
        cluster_id = kernel.new_id("j")
        core = sum(group.count for group in spec.groups if group.role is Role.CORE)
        core += sum(_fewest_instances(fleet) for fleet in spec.fleets if fleet.role is Role.CORE)
        cluster = Cluster(
            cluster_id=cluster_id,
            arn=f"arn:aws:elasticmapreduce:{settings.region}:{settings.account_id}:cluster/{cluster_id}",
            spec=spec,
            zone=spec.availability_zone or settings.zones[0],
            created_at=kernel.now,
            yarn=Yarn(
                kernel.engine,
                stage_gap_seconds=settings.stage_gap_seconds,
                queues=settings.queues,
                application_masters=settings.application_masters,
            ),
            hdfs=Hdfs(),
            replication=spec.dfs_replication or default_replication(core),
            tags=dict(spec.tags),
            protected=spec.termination_protected,
        )
        self.clusters[cluster_id] = cluster
        announcements.cluster_changed(kernel, cluster, "was requested and is being created.")
        boot_seconds = self.resizer.draw_boot_seconds()
        for group in spec.groups:
            self._add_group(cluster, group, boot_seconds)
        for fleet in spec.fleets:
            self.fleets.create(cluster, fleet)
        for step in spec.steps:
            self.add_step(cluster, step)
        return cluster

    def add_groups(self, cluster: Cluster, specs: tuple[GroupSpec, ...]) -> tuple[str, ...]:
        """Add groups to a running cluster."""
        boot_seconds = self.resizer.draw_boot_seconds()
        return tuple(self._add_group(cluster, spec, boot_seconds).group_id for spec in specs)

    def _add_group(self, cluster: Cluster, spec: GroupSpec, boot_seconds: int) -> Group:
        group = Group(
            group_id=self._kernel.new_id("ig"),
            cluster=cluster,
            spec=spec,
            requested=spec.count,
            state=GroupState.PROVISIONING,
            created_at=self._kernel.now,
        )
        cluster.groups[group.group_id] = group
        announcements.group_changed(self._kernel, group, "The {group} is being created.")
        self.resizer.launch(group, spec.count, boot_seconds)
        if not spec.count:
            self._kernel.engine.after(NEW_GROUP_SECONDS, partial(refresh, self._kernel, group))
        return group

    def _nodes_changed(self, cluster: Cluster) -> None:
        vital = [group for group in cluster.groups.values() if group.spec.role is not Role.TASK]
        if cluster.state is ClusterState.STARTING and all(group.is_launched for group in vital):
            cluster.state = ClusterState.BOOTSTRAPPING
        if cluster.state is ClusterState.BOOTSTRAPPING and all(
            node.state is InstanceState.RUNNING for group in vital for node in group.nodes
        ):
            cluster.state = ClusterState.RUNNING
            cluster.ready_at = self._kernel.now
            announcements.cluster_changed(self._kernel, cluster, "is ready and runs steps.")
            cluster.yarn.start()
            self._next_step(cluster)

    # ------------------------------------------------------------------ work

    def submit(self, cluster: Cluster, job: Job, step: StepRun | None = None) -> None:
        """Submit a job to YARN now; a cluster that has ended does not hear it."""
        if cluster.state in ENDING:
            return

        def done() -> None:
            cluster.hdfs.used_gib += job.hdfs_write_gib
            if step is not None:
                self._end_step(cluster, step)

        cluster.yarn.submit(job, done)

    def add_step(self, cluster: Cluster, spec: StepSpec) -> str:
        """Queue a step behind the others."""
        step = StepRun(step_id=self._kernel.new_id("s"), spec=spec, created_at=self._kernel.now)
        cluster.steps.append(step)
        announcements.step_changed(self._kernel, cluster, step, "was added")
        if cluster.is_up:
            self._next_step(cluster)
        return step.step_id

    def _next_step(self, cluster: Cluster) -> None:
        """Run the oldest pending step, one at a time; without one the cluster waits or ends."""
        if any(step.state is StepState.RUNNING for step in cluster.steps):
            return
        step = next((step for step in cluster.steps if step.state is StepState.PENDING), None)
        if step is None:
            if cluster.spec.auto_terminate:
                self.terminate(cluster, "ALL_STEPS_COMPLETED", "Steps completed")
            else:
                self._set_state(cluster, ClusterState.WAITING, "is waiting: it has no steps to run.")
            return
        self._set_state(cluster, ClusterState.RUNNING, "is running steps.")
        step.state = StepState.RUNNING
        step.started_at = self._kernel.now
        announcements.step_changed(self._kernel, cluster, step, "started running")
        if step.spec.job is not None:
            self.submit(cluster, step.spec.job, step)
        else:
            self._kernel.engine.after(step.spec.seconds, partial(self._end_step, cluster, step))

    def _end_step(self, cluster: Cluster, step: StepRun) -> None:
        if step.state is not StepState.RUNNING or cluster.state in ENDING:
            return
        step.state = StepState.COMPLETED
        step.ended_at = self._kernel.now
        announcements.step_changed(self._kernel, cluster, step, "completed execution")
        self._next_step(cluster)

    def _set_state(self, cluster: Cluster, state: ClusterState, message: str) -> None:
        if cluster.state is not state:
            cluster.state = state
            announcements.cluster_changed(self._kernel, cluster, message)

    # ------------------------------------------------------------------ ending

    def terminate(self, cluster: Cluster, code: str, message: str, *, failed: bool = False) -> None:
        """Begin to end a cluster: its work stops at once, its nodes are gone some time later."""
        if cluster.state in ENDING:
            return
        cluster.change_code, cluster.change_message = code, message
        for step in cluster.steps:
            if step.state in {StepState.PENDING, StepState.RUNNING}:
                was_running = step.state is StepState.RUNNING
                step.state = StepState.INTERRUPTED if was_running else StepState.CANCELLED
                step.ended_at = self._kernel.now
                announcements.step_changed(self._kernel, cluster, step, "was cancelled")
        cluster.state = ClusterState.TERMINATING
        cluster.yarn.stop()
        for group in cluster.groups.values():
            group.state = GroupState.TERMINATING
        announcements.cluster_changed(self._kernel, cluster, f"is terminating: {message}.")
        gone = partial(self._gone, cluster, failed=failed)
        self._kernel.engine.after(self._kernel.settings.termination_seconds, gone)

    def _gone(self, cluster: Cluster, *, failed: bool) -> None:
        for group in cluster.groups.values():
            for node in list(group.nodes):
                self.resizer.remove(node, BY_EMR)
            group.state = GroupState.TERMINATED
            group.ended_at = self._kernel.now
        cluster.state = ClusterState.TERMINATED_WITH_ERRORS if failed else ClusterState.TERMINATED
        cluster.ended_at = self._kernel.now
        announcements.cluster_changed(self._kernel, cluster, "has terminated.")

    def _master_lost(self, cluster: Cluster) -> None:
        self.terminate(cluster, "INSTANCE_FAILURE", "The master node was terminated", failed=True)


def _fewest_instances(fleet: FleetSpec) -> int:
    """Return how many instances a fleet has at least: as many as of its largest type."""
    largest = max(kind.units for kind in fleet.types)
    return -(-(fleet.on_demand_units + fleet.spot_units) // largest)
