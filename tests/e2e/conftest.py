"""One deployed stack for all end-to-end tests; they run in one process, and may open sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.rehearsal import Rehearsal, rehearse

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies beside this file."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.local_aws)
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.xdist_group("local_aws"))
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Deploy the stack once."""
    with rehearse(name=f"e2e-{tmp_path_factory.getbasetemp().name}") as deployed:
        yield deployed
