"""What others do to clusters: calls that CloudTrail records, and scaling that EMR does by itself.

CloudTrail writes the parameters of a call in camel case; which of them stand for the cluster differs from
call to call, and none of this is documented: whatever is there is used.
"""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from emr_autoscaler.messages.envelope import ClusterId, Detail, Word

POLICY_GONE = frozenset({"DETACHING", "DETACHED", "FAILED"})
"""States of an automatic scaling policy that is on its way out, or was never accepted."""

RESIZES = frozenset({"ModifyInstanceGroups", "AddInstanceGroups", "ModifyInstanceFleet", "AddInstanceFleet"})
"""Calls that order capacity."""

OWN_TAGS = "emr-autoscaler:"
"""Tags of this system begin so."""


class AutoScalingPolicyChange(Detail):
    """EMR Auto Scaling Policy State Change: a group gets, or loses, a scaling policy of its own."""

    cluster_id: ClusterId = Field(alias="clusterId")
    group_id: Word = Field(alias="resourceId")
    state: Word

    @property
    def is_attached(self) -> bool:
        """Whether the policy resizes the group, or is about to."""
        return self.state.upper() not in POLICY_GONE


class ManagedScalingAction(Detail):
    """EMR Managed Scaling Action: EMR itself resizes the cluster."""

    cluster_id: ClusterId = Field(alias="clusterId")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nothings(cls, data: Any) -> Any:  # noqa: ANN401 (pydantic hands over what arrived)
        """Take null for what is left out: CloudTrail writes either."""
        return {k: v for k, v in data.items() if v is not None} if isinstance(data, dict) else data


class SessionIssuer(_Part):
    """The role behind temporary credentials."""

    role_name: str = Field(default="", alias="userName")


class SessionContext(_Part):
    """Where temporary credentials come from."""

    issuer: SessionIssuer = Field(default_factory=SessionIssuer, alias="sessionIssuer")


class UserIdentity(_Part):
    """Who called."""

    kind: str = Field(default="", alias="type")
    arn: str = ""
    user_name: str = Field(default="", alias="userName")
    invoked_by: str = Field(default="", alias="invokedBy")
    session: SessionContext = Field(default_factory=SessionContext, alias="sessionContext")

    @property
    def role_name(self) -> str:
        """The role that was assumed; empty for users and services."""
        return self.session.issuer.role_name

    @property
    def who(self) -> str:
        """The caller as people know it: a user, or a session and its role."""
        name = (
            self.user_name
            or self.arn.partition("/")[2].rpartition("/")[2]
            or self.invoked_by
            or self.kind
            or "somebody"
        )
        if self.role_name and self.role_name != name:
            name = f"{name} ({self.role_name})"
        through = self.invoked_by
        return f"{name} through {through}" if through and through not in name else name


class EmrCall(Detail):
    """AWS API Call via CloudTrail of Amazon EMR."""

    name: Word = Field(alias="eventName")
    identity: UserIdentity = Field(alias="userIdentity")
    called_at: AwareDatetime = Field(alias="eventTime")
    error_code: str | None = Field(default=None, alias="errorCode")
    request: dict[str, Any] | None = Field(default=None, alias="requestParameters")

    @property
    def has_failed(self) -> bool:
        """Whether EMR refused the call, so that it changed nothing."""
        return bool(self.error_code)

    @property
    def is_resize(self) -> bool:
        """Whether the call orders capacity."""
        return self.name in RESIZES

    @property
    def cluster_ids(self) -> tuple[str, ...]:
        """The clusters that the call names."""
        given = self.request or {}
        named = [given.get(key) for key in ("clusterId", "jobFlowId", "resourceId")]
        several = given.get("jobFlowIds")
        named += several if isinstance(several, list) else []
        return tuple(dict.fromkeys(n for n in named if isinstance(n, str) and n.startswith("j-")))

    @property
    def resizes(self) -> tuple[tuple[str, int | None], ...]:
        """Group or fleet ids (empty for a new one) with the count asked for, where instances are ordered."""
        given = self.request or {}
        parts = given.get("instanceGroups")
        fleet = given.get("instanceFleet")
        entries = [*(parts if isinstance(parts, list) else []), *([fleet] if isinstance(fleet, dict) else [])]
        found = (_resize(entry) for entry in entries if isinstance(entry, dict))
        return tuple(resize for resize in found if resize[0] or resize[1])

    @property
    def touches_own_tags(self) -> bool:
        """Whether the call sets or removes a tag of this system."""
        given = self.request or {}
        keys = [*_list(given.get("tagKeys")), *(tag.get("key") for tag in _list(given.get("tags")) if tag)]
        return any(str(key).startswith(OWN_TAGS) for key in keys)


def _resize(entry: dict[str, Any]) -> tuple[str, int | None]:
    group_id = str(entry.get("instanceGroupId") or entry.get("instanceFleetId") or "")
    fleet = [entry.get(f"target{market}Capacity") for market in ("OnDemand", "Spot")]
    told = [part for part in fleet if isinstance(part, int)]
    units = sum(told) if told else None
    count = entry.get("instanceCount", units)
    return group_id, count if isinstance(count, int) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
