"""Which applications of a cluster work, or let people work, where YARN does not see it."""

from collections.abc import Iterable

ON_NODES = frozenset({"hbase", "phoenix", "presto", "presto-sandbox", "prestosql", "trino", "trino-sandbox"})
"""Their work runs on core and task nodes, in processes of its own. EMR decommissions a node gracefully for YARN's
containers; of these it ends the work at once (Presto's graceful-shutdown-timeout is 0 where nobody sets it)."""

NOT_ON_YARN = ON_NODES | {"flink", "jupyterenterprisegateway", "jupyterhub", "livy", "zeppelin"}
"""Applications whose work, or whose people, YARN may not see (EMR: IsIdle sees YARN and steps only)."""


def working_on_nodes(applications: Iterable[str]) -> tuple[str, ...]:
    """Return those of a cluster's applications whose work on its nodes YARN does not see, in lower case."""
    return tuple(sorted(ON_NODES.intersection(name.lower() for name in applications)))
