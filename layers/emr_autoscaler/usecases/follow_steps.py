"""Follow which steps of a cluster wait: the next look at its task capacity knows that work is to come."""

from dataclasses import dataclass, replace
from datetime import datetime

from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.step_queue import StepState, note_step
from emr_autoscaler.ports import Registry
from emr_autoscaler.usecases.registry_updates import update_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowSteps:
    """Keeps the queued steps of the registry true."""

    registry: Registry

    def __call__(self, cluster_id: str, step_id: str, state: StepState, *, at: datetime) -> bool:
        """Take a step's state from an event; return whether the cluster is enrolled."""

        def change(entry: RegistryEntry) -> RegistryEntry:
            return replace(entry, steps=note_step(entry.steps, step_id, state, at))

        return update_entry(self.registry, cluster_id, change) is not None
