"""One deployed stack for all end-to-end tests of a process; they run first and may open sockets.

In parallel, each process deploys a stack of its own: correct, but slower than `make test`, which runs them alone.
"""

from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from tests.support.rehearsal import Rehearsal, rehearse

HERE = Path(__file__).parent
_deployed = ExitStack()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what lies beside this file."""
    item.add_marker(pytest.mark.local_aws)
    item.add_marker(pytest.mark.enable_socket)
    item.add_marker(pytest.mark.timeout(240))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let them run first, with nothing in between, however the others were shuffled."""
    items.sort(key=lambda item: not item.path.is_relative_to(HERE))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the stack after the last test that may open sockets: its servers could not go on after that."""
    del item
    if nextitem is None or not nextitem.path.is_relative_to(HERE):
        _deployed.close()


@cache
def _deploy(name: str) -> Rehearsal:
    return _deployed.enter_context(rehearse(name=name))


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """The stack, deployed once; its log lies in .demo/."""
    return _deploy(f"e2e-{tmp_path_factory.getbasetemp().name}")
