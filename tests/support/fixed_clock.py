"""A clock that stands where it is put; virtual time of the World is the World's own."""

from datetime import datetime, timedelta


class FixedClock:
    """Implements ``ports.Clock``: shows one time until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time it shows."""
        return self._now

    def set(self, now: datetime) -> None:
        """Show another time."""
        self._now = now

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._now += by
