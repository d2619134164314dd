"""Virtual time: a heap of what is due, in whole seconds; nothing here knows what a cluster is."""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count

Action = Callable[[], None]


def to_seconds(moment: datetime) -> int:
    """Return whole seconds since 1970 of an aware time; fractions are cut off."""
    if moment.tzinfo is None:
        msg = f"a time without a zone: {moment!r}"
        raise ValueError(msg)
    return int(moment.timestamp())


@lru_cache(maxsize=1 << 17)
def to_moment(seconds: int) -> datetime:
    """Return the aware UTC time of ``seconds`` since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=1 << 10)
def to_stamp(seconds: int) -> str:
    """Return the UTC time of ``seconds`` since 1970 as events write it: 2026-10-05T13:00:00Z."""
    return to_moment(seconds).isoformat().replace("+00:00", "Z")


def to_moment_or_none(seconds: int | None) -> datetime | None:
    """Return the aware UTC time of ``seconds``, or None for None."""
    return None if seconds is None else to_moment(seconds)


class Engine:
    """The clock and what is due when.

    Everything due in one second runs in the order it was asked for; then what was marked unsettled
    in that second is settled once, so that ten tasks that end together cause one allocation. Who only
    looks, looks at last: a sample never shows the half of a second.
    """

    def __init__(self, now: int) -> None:
        self.now = now
        self._due: list[tuple[int, int, Action]] = []
        self._order = count()
        self._unsettled: dict[Action, None] = {}
        self._looks: dict[Action, None] = {}

    def at(self, seconds: int, action: Action) -> None:
        """Run ``action`` at ``seconds``, or in this second where that is past."""
        heapq.heappush(self._due, (max(seconds, self.now), next(self._order), action))

    def after(self, seconds: int, action: Action) -> None:
        """Run ``action`` in ``seconds`` from now."""
        self.at(self.now + seconds, action)

    def settle(self, action: Action) -> None:
        """Run ``action`` once at the end of this second, however often it is asked for."""
        self._unsettled[action] = None

    def look(self, action: Action) -> None:
        """Run ``action`` once when everything of this second is settled."""
        self._looks[action] = None

    def run_until(self, seconds: int, stop: Callable[[], bool]) -> None:
        """Run everything due up to and including ``seconds``, or until ``stop`` after some second."""
        due = self._due
        while True:
            if due and due[0][0] == self.now:
                heapq.heappop(due)[2]()
                continue
            if self._unsettled:
                unsettled, self._unsettled = self._unsettled, {}
                for action in unsettled:
                    action()
                continue
            if self._looks:
                looks, self._looks = self._looks, {}
                for action in looks:
                    action()
                continue
            if stop():
                return
            if not due or due[0][0] > seconds:
                self.now = max(self.now, seconds)
                return
            self.now = due[0][0]
