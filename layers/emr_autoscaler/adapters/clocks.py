"""Where the time comes from: this machine's clock, or in rehearsals the clock of a simulated world."""

import json
from datetime import UTC, datetime
from urllib.error import URLError
from urllib.request import urlopen

from emr_autoscaler.domain.errors import UnavailableError

_TIMEOUT_SECONDS = 5


class SystemClock:
    """Implements ``ports.Clock``."""

    def now(self) -> datetime:
        """Return the current time, aware UTC."""
        return datetime.now(UTC)


class RemoteClock:
    """Implements ``ports.Clock`` for a rehearsal: the simulated world says what time it is.

    Never used where a stack acts on real clusters.

    Args:
        url: http(s) address that answers GET with ``{"now": "2026-10-05T13:00:00Z"}``.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            msg = f"a remote clock is an http address, not {url!r}"
            raise ValueError(msg)
        self._url = url

    def now(self) -> datetime:
        """Return the virtual time, aware UTC. Raises UnavailableError where nobody answers it."""
        try:
            with urlopen(self._url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  checked above
                told = datetime.fromisoformat(json.load(answer)["now"])
        except (URLError, TimeoutError) as error:
            msg = f"the clock at {self._url} does not answer: {error}"
            raise UnavailableError(msg) from error
        return told.astimezone(UTC)
