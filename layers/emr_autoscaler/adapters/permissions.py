"""How an adapter says which IAM actions it needs; the actions themselves stand beside each adapter's code.

Every adapter class has a class attribute ``permissions: ClassVar[tuple[Permission, ...]]``. The
template grants a function the union over the adapters it is wired with, and a test compares the two.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permission:
    """IAM actions that an adapter calls, and what for.

    Attributes:
        actions: As IAM writes them, for instance elasticmapreduce:DescribeCluster.
        why: One clause that the template's comment repeats.
    """

    actions: tuple[str, ...]
    why: str

    def __post_init__(self) -> None:
        """Refuse wildcards and actions without a service: least privilege is spelled out."""
        for action in self.actions:
            service, _, name = action.partition(":")
            if not service or not name or "*" in action:
                msg = f"{action!r} is not one IAM action (service:Action)"
                raise ValueError(msg)
