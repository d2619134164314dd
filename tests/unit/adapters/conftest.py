"""Clients whose answers are given beforehand: what the World cannot produce, and what is sent exactly."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from botocore.stub import Stubber
from tests.support.aws_clients import aws_client


@pytest.fixture
def stubbed() -> Iterator[Callable[[str], tuple[Any, Stubber]]]:
    """Make a client of a service and its stub; every answer given has to be used."""
    with ExitStack() as stack:

        def make(service: str) -> tuple[Any, Stubber]:
            client = stack.enter_context(closing(aws_client(service, "http://127.0.0.1:9")))
            stubber = stack.enter_context(Stubber(client))
            stack.callback(stubber.assert_no_pending_responses)
            return client, stubber

        yield make
