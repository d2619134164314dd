"""The port Clock on the World's virtual time."""

from datetime import datetime

from emr_simulator.world import World


class WorldClock:
    """Clock that reads the World's time; it never moves it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        """Return the World's time, aware UTC."""
        return self._world.now
