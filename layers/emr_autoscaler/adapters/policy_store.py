"""Policy documents on SSM Parameter Store; the last one that could be used is kept in the state table."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.dynamodb_table import PK, SK, Table
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.state_table import DOCUMENT, LAST_GOOD_SK
from emr_autoscaler.domain.errors import InvalidPolicyError, NotFoundError
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

DEFAULT_MAX_AGE = timedelta(seconds=60)

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")


@dataclass(frozen=True, slots=True)
class _Read:
    at: datetime
    found: Policy | InvalidPolicyError | NotFoundError


class ParameterPolicies:
    """Implements ``ports.Policies``: ``<prefix>/policies/<name>``.

    What was read is believed for ``max_age``, so a change takes effect within that time and without
    deploying, and a busy minute costs one call.

    Args:
        client: SSM.
        table: The state table, for the last good version.
        prefix: Starts with a slash: ``/<stack>``.
        parse: Reads a document (name, text); raises InvalidPolicyError. messages.policy.parse_policy.
        clock: Judges the age of what was read.
        max_age: How long it is believed.
    """

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("ssm:GetParameter",), "read the policy that a cluster's tag names"),
        Permission(("dynamodb:GetItem",), "read the last policy document that could be used"),
        Permission(("dynamodb:PutItem",), "keep a policy document that can be used"),
    )

    def __init__(
        self,
        client: "SSMClient",
        table: Table,
        *,
        prefix: str,
        parse: Callable[[str, str], Policy],
        clock: Clock,
        max_age: timedelta = DEFAULT_MAX_AGE,
    ) -> None:
        self._client = client
        self._table = table
        self._prefix = prefix
        self._parse = parse
        self._clock = clock
        self._max_age = max_age
        self._read: dict[str, _Read] = {}

    def get(self, name: str) -> Policy:
        """Return a policy.

        Raises:
            NotFoundError: There is none of this name.
            InvalidPolicyError: It cannot be used; names the field and the fix.
        """
        now = self._clock.now()
        read = self._read.get(name)
        if read is None or now - read.at >= self._max_age:
            read = _Read(now, self._look_up(name))
            self._read[name] = read
        if isinstance(read.found, Policy):
            return read.found
        # A new error each time: a raised one drags its traceback along.
        raise type(read.found)(*read.found.args)

    def last_good(self, name: str) -> Policy | None:
        """Return the last version that could be used, or None if there never was one.

        A document that this release cannot read any more counts as none: it never acts.
        """
        text = self._last_good_text(name)
        if text is None:
            return None
        try:
            return self._parse(name, text)
        except InvalidPolicyError:
            return None

    def _look_up(self, name: str) -> Policy | InvalidPolicyError | NotFoundError:
        # The name is a tag's value, anything a person typed: a slash would leave the folder.
        if not _NAME.fullmatch(name):
            return NotFoundError(f"there is no policy {name!r}: names are letters, digits, '_', '.' and '-'")
        parameter = f"{self._prefix}/policies/{name}"
        try:
            with domain_errors():
                answer = self._client.get_parameter(Name=parameter)
        except NotFoundError:
            return NotFoundError(f"there is no policy {name!r}: parameter {parameter} does not exist")
        text = answer["Parameter"]["Value"]
        try:
            policy = self._parse(name, text)
        except InvalidPolicyError as error:
            return error
        if self._last_good_text(name) != text:
            self._table.put({PK: _pk(name), SK: LAST_GOOD_SK, DOCUMENT: text})
        return policy

    def _last_good_text(self, name: str) -> str | None:
        item = self._table.get(_pk(name), LAST_GOOD_SK)
        return None if item is None else str(item[DOCUMENT])


def _pk(name: str) -> str:
    return f"POLICY#{name}"
