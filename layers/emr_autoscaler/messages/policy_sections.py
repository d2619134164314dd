"""The core, idle and cost sections of a policy document: their fields, bounds and meaning.

The task section is in policy_task.py, reading a document in policy.py. The fields are those of domain/policy.py,
durations in minutes. Defaults come from there as well, so that a document only says what it wants otherwise.
"""

from typing import Annotated

from pydantic import Field, model_validator

from emr_autoscaler.domain.policy import CorePolicy, CostPolicy, IdlePolicy
from emr_autoscaler.messages.policy_base import MAX_NODES, Percent, Section, build, in_minutes, refuse

_CORE = CorePolicy()
_IDLE = IdlePolicy()
_COST = CostPolicy()


class CoreDocument(Section):
    """How core capacity follows HDFS; fractions are 0-1 of HDFS capacity."""

    enabled: Annotated[bool, Field(description="False leaves core groups alone.")] = _CORE.enabled
    min_nodes: Annotated[int, Field(ge=1, le=MAX_NODES, description="Never fewer core nodes than this.")] = (
        _CORE.min_nodes
    )
    max_nodes: Annotated[int, Field(ge=1, le=MAX_NODES, description="Never more core nodes than this.")] = (
        _CORE.max_nodes
    )
    hdfs_high: Annotated[float, Field(gt=0, lt=1, description="Above this fraction, core nodes are added.")] = (
        _CORE.hdfs_high
    )
    hdfs_target: Annotated[
        float, Field(gt=0, lt=1, description="Where adding aims, and what a shrink must stay below.")
    ] = _CORE.hdfs_target
    hdfs_low: Annotated[float, Field(gt=0, lt=1, description="Below this fraction, one core node may go.")] = (
        _CORE.hdfs_low
    )
    cooldown_minutes: Annotated[
        float, Field(ge=0, le=1440, description="Least time between two core resizes.")
    ] = in_minutes(_CORE.cooldown)
    decommission_timeout_minutes: Annotated[
        float, Field(ge=1, le=1440, description="How long a leaving node may copy its blocks away.")
    ] = in_minutes(_CORE.decommission_timeout)
    metrics_max_age_minutes: Annotated[
        float, Field(ge=1, le=60, description="Older samples count as missing.")
    ] = in_minutes(_CORE.metrics_max_age)
    min_age_minutes: Annotated[
        float, Field(ge=0, le=10_080, description="A younger cluster keeps its core nodes.")
    ] = in_minutes(_CORE.min_age)
    yarn_free_percent: Annotated[
        float, Field(ge=0, le=100, description="Least free YARN memory for a core node to go.")
    ] = _CORE.yarn_free_percent
    operator_hold_minutes: Annotated[
        float, Field(ge=0, le=1440, description="How long a count that somebody else ordered stands.")
    ] = in_minutes(_CORE.operator_hold)
    trust_yarn: Annotated[
        bool,
        Field(description="True takes nodes away although Presto, Trino or HBase work on them, unseen by YARN."),
    ] = _CORE.trust_yarn

    @model_validator(mode="after")
    def _bounds_and_marks_agree(self) -> "CoreDocument":
        refuse(self.min_nodes > self.max_nodes, "min_nodes is above max_nodes; lower it or raise max_nodes")
        refuse(
            not self.hdfs_low < self.hdfs_target < self.hdfs_high,
            "hdfs_low, hdfs_target and hdfs_high must rise in this order",
        )
        return self

    def to_domain(self) -> CorePolicy:
        """Return the section."""
        return build(self, CorePolicy)


class IdleDocument(Section):
    """When an idle or overdue cluster is ended."""

    enabled: Annotated[bool, Field(description="False never reaps.")] = _IDLE.enabled
    idle_for_minutes: Annotated[
        float, Field(ge=10, le=10_080, description="How long it must have been idle, without a gap.")
    ] = in_minutes(_IDLE.idle_for)
    min_age_minutes: Annotated[float, Field(ge=10, le=10_080, description="Younger clusters are left alone.")] = (
        in_minutes(_IDLE.min_age)
    )
    warning_period_minutes: Annotated[
        float, Field(ge=0, le=1440, description="Time between announcement and termination.")
    ] = in_minutes(_IDLE.warning_period)
    max_lifetime_minutes: Annotated[
        Annotated[float, Field(ge=60, le=525_600)] | None,
        Field(description="Older clusters are announced and ended once no work runs; null for no limit."),
    ] = None if _IDLE.max_lifetime is None else in_minutes(_IDLE.max_lifetime)
    trust_isidle: Annotated[
        bool, Field(description="True reaps clusters with applications whose work YARN does not see.")
    ] = _IDLE.trust_isidle

    def to_domain(self) -> IdlePolicy:
        """Return the section."""
        return build(self, IdlePolicy)


class CostDocument(Section):
    """Assumptions of the cost records that AWS does not state."""

    first_hour_fee: Annotated[
        bool,
        Field(
            description="Whether the EMR fee is charged for a spot instance that AWS interrupts in its first hour."
        ),
    ] = _COST.first_hour_fee
    emr_discount_percent: Annotated[Percent, Field(description="Negotiated discount on the EMR fee.")] = (
        _COST.emr_discount_percent
    )
    ec2_discount_percent: Annotated[Percent, Field(description="Negotiated discount on EC2 on demand.")] = (
        _COST.ec2_discount_percent
    )
    ebs_discount_percent: Annotated[Percent, Field(description="Negotiated discount on EBS.")] = (
        _COST.ebs_discount_percent
    )
    ec2_covered_percent: Annotated[
        Percent,
        Field(description="Part of EC2 on-demand use that a savings plan or reservation covers: an estimate."),
    ] = _COST.ec2_covered_percent
    ec2_covered_discount_percent: Annotated[
        Percent, Field(description="What covered use costs less than list.")
    ] = _COST.ec2_covered_discount_percent

    def to_domain(self) -> CostPolicy:
        """Return the section."""
        return build(self, CostPolicy)
