"""What every room of the world shares: clock, settings, chance, events out, names of new things."""

import random
import string
import uuid
from collections import Counter
from typing import Any

from emr_simulator.engine import Engine, to_stamp
from emr_simulator.settings import WorldSettings

_LETTERS = string.ascii_uppercase + string.digits
_HEX = "0123456789abcdef"


class Kernel:
    """The shared part of one world.

    Chance is drawn from one stream for each purpose, so that a policy that asks for more nodes does
    not change the prices or the losses that another policy sees with the same seed.
    """

    def __init__(self, *, seed: int, now: int, settings: WorldSettings) -> None:
        self.seed = seed
        self.settings = settings
        self.engine = Engine(now)
        self.calls: Counter[str] = Counter()
        self.started_at = now
        self._events: list[dict[str, Any]] = []
        self._names = self.chance("names")
        self._event_ids = self.chance("event-ids")
        self._losses = self.chance("lost-events")

    @property
    def now(self) -> int:
        """Seconds since 1970."""
        return self.engine.now

    def chance(self, purpose: str) -> random.Random:
        """Return a new stream of chance that depends on the seed and the purpose only."""
        return random.Random(f"{self.seed}:{purpose}")

    def new_id(self, prefix: str) -> str:
        """Return an EMR id: prefix and 13 letters or digits."""
        return f"{prefix}-" + "".join(self._names.choices(_LETTERS, k=13))

    def new_ec2_id(self, prefix: str) -> str:
        """Return an EC2 id: prefix and 17 hexadecimal digits."""
        return f"{prefix}-" + "".join(self._names.choices(_HEX, k=17))

    def emit(
        self, detail_type: str, source: str, detail: dict[str, Any], resources: list[str] | None = None
    ) -> None:
        """Put an event on the account's default bus, where EMR does not lose it."""
        if source == "aws.emr" and self._losses.random() < self.settings.lost_event_fraction:
            return
        self._events.append(
            {
                "version": "0",
                "id": str(uuid.UUID(int=self._event_ids.getrandbits(128), version=4)),
                "detail-type": detail_type,
                "source": source,
                "account": self.settings.account_id,
                "time": to_stamp(self.now),
                "region": self.settings.region,
                "resources": resources or [],
                "detail": detail,
            }
        )

    @property
    def has_events(self) -> bool:
        """Whether events wait to be taken."""
        return bool(self._events)

    def take_events(self) -> list[dict[str, Any]]:
        """Return the events since the last call, oldest first."""
        events, self._events = self._events, []
        return events
