"""Follow which steps of a cluster wait: the next look at its task capacity knows that work is to come."""

from dataclasses import dataclass, replace
from datetime import datetime

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.step_queue import StepState, note_step
from emr_autoscaler.ports import Clock, EvaluationQueue, Registry
from emr_autoscaler.usecases.registry_updates import update_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowSteps:
    """Keeps the queued steps of the registry true."""

    clock: Clock
    registry: Registry
    queue: EvaluationQueue

    def __call__(self, cluster_id: str, step_id: str, state: StepState, *, at: datetime) -> bool:
        """Take a step's state from an event; return whether the cluster is enrolled.

        A step that ended asks for a look once its place may have been taken: events of steps are the first to
        tell that work came or went.
        """

        def change(entry: RegistryEntry) -> RegistryEntry:
            return replace(entry, steps=note_step(entry.steps, step_id, state, at))

        entry = update_entry(self.registry, cluster_id, change)
        if entry is None:
            return False
        if entry.is_active and state is StepState.RUNNING:
            self.queue.request(cluster_id, DecisionKind.TASK, now=self.clock.now(), cause=f"step {step_id} runs")
        return True
