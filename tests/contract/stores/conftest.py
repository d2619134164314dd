"""Runs every store test on each implementation that can run here."""

from collections.abc import Iterator

import pytest
from tests.support.backends import Backend, backend_names, open_backend


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.enable_socket] if name == "endpoint" else [])
        for name in backend_names()
    ]
)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    with open_backend(request.param) as opened:
        yield opened
