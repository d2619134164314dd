"""Policy documents in memory: read by the same words as those in Parameter Store."""

from collections.abc import Callable

from emr_autoscaler.domain.errors import InvalidPolicyError, NotFoundError
from emr_autoscaler.domain.policy import Policy


class MemoryPolicies:
    """Implements ``ports.Policies``.

    Args:
        policies: Ready ones, by their names.
        parse: Reads a document (name, text), where ``put_document`` is used: messages.policy.parse_policy.
    """

    def __init__(self, *policies: Policy, parse: Callable[[str, str], Policy] | None = None) -> None:
        self._policies: dict[str, Policy | InvalidPolicyError] = {policy.name: policy for policy in policies}
        self._last_good: dict[str, Policy] = {}
        self._parse = parse

    def put(self, policy: Policy) -> None:
        """Set the policy of this name."""
        self._policies[policy.name] = policy

    def put_document(self, name: str, text: str) -> None:
        """Set the document of a policy, as an operator would: it is judged when it is read."""
        if self._parse is None:
            msg = "MemoryPolicies was given no parser for documents"
            raise ValueError(msg)
        try:
            self._policies[name] = self._parse(name, text)
        except InvalidPolicyError as error:
            self._policies[name] = error

    def get(self, name: str) -> Policy:
        """Return a policy. Raises NotFoundError and InvalidPolicyError."""
        policy = self._policies.get(name)
        if policy is None:
            msg = f"there is no policy {name!r}"
            raise NotFoundError(msg)
        if isinstance(policy, InvalidPolicyError):
            raise InvalidPolicyError(*policy.args)
        self._last_good[name] = policy
        return policy

    def last_good(self, name: str) -> Policy | None:
        """Return the last version that could be used, or None if there never was one."""
        return self._last_good.get(name)
