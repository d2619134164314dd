"""Events of Amazon EC2 and AWS Health about single instances. None of them names a cluster."""

from typing import Annotated

from pydantic import Field, StringConstraints

from emr_autoscaler.messages.envelope import Detail, InstanceId, Word


class SpotWarning(Detail):
    """EC2 Spot Instance Interruption Warning: two minutes' notice, best effort."""

    ec2_instance_id: InstanceId = Field(alias="instance-id")
    instance_action: Word = Field(alias="instance-action")


class RebalanceRecommendation(Detail):
    """EC2 Instance Rebalance Recommendation: the pool is at risk."""

    ec2_instance_id: InstanceId = Field(alias="instance-id")


class AffectedEntity(Detail):
    """One resource that AWS Health speaks of."""

    entity_value: Word = Field(alias="entityValue")


class HealthEvent(Detail):
    """AWS Health Event about EC2: maintenance that AWS has scheduled."""

    service: Annotated[str, StringConstraints(to_upper=True)]
    category: Word = Field(alias="eventTypeCategory")
    affected: tuple[AffectedEntity, ...] = Field(default=(), alias="affectedEntities")

    @property
    def ec2_instance_ids(self) -> tuple[str, ...]:
        """The instances concerned, each once."""
        ids = (entity.entity_value for entity in self.affected if entity.entity_value.startswith("i-"))
        return tuple(dict.fromkeys(ids))
