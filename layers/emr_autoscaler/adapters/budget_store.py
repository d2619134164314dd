"""Budgets: the document in Parameter Store, and in the cost table which thresholds people were told of."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.dynamodb_table import PK, SK, Table
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.domain.budgets import Budget
from emr_autoscaler.domain.errors import NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class ParameterBudgets:
    """Implements ``ports.Budgets``: ``/<stack>/budgets`` and items ``BUDGET#<cost centre>`` / ``2026-10``."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("ssm:GetParameter",), "read the document of budgets"),
        Permission(("dynamodb:GetItem",), "read which thresholds were told"),
        Permission(("dynamodb:PutItem",), "note which thresholds were told"),
    )

    def __init__(
        self,
        client: "SSMClient",
        table: Table,
        *,
        parameter: str,
        parse: Callable[[str], tuple[Budget, ...]],
    ) -> None:
        self._client = client
        self._table = table
        self._parameter = parameter
        self._parse = parse

    def all(self) -> tuple[Budget, ...]:
        """Return every budget; none where the parameter does not exist.

        Raises:
            InvalidPolicyError: The document cannot be used.
        """
        try:
            with domain_errors():
                answer = self._client.get_parameter(Name=self._parameter)
        except NotFoundError:
            return ()
        return self._parse(answer["Parameter"]["Value"])

    def told(self, cost_centre: str, month: str) -> frozenset[str]:
        """Return the thresholds that people were told of."""
        item = self._table.get(f"BUDGET#{cost_centre}", month)
        return frozenset() if item is None else frozenset(item["told"])

    def note_told(self, cost_centre: str, month: str, thresholds: frozenset[str]) -> None:
        """Note the thresholds that people were told of."""
        self._table.put({PK: f"BUDGET#{cost_centre}", SK: month, "told": sorted(thresholds)})
