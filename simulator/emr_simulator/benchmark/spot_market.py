"""Spot markets a benchmark buys in: several pools with random or recorded outages; compared in spot_rows.py."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emr_simulator.benchmark.work import file_digest
from emr_simulator.experiment import Setup, settings_of
from emr_simulator.settings import WorldSettings
from emr_simulator.spot_traces import SpotTrace, read_spot_trace


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SpotMarket:
    """Spot pools beside an on-demand group.

    Attributes:
        pools: Their instance types.
        outage_hours: Mean time between two outages of a pool, where they are random.
        recordings: Of spot markets, played by the pools in turn; where there are more pools than recordings, the
            next begin half-way, a quarter of the way ... into them, so that no two fail together.
    """

    pools: tuple[str, ...]
    outage_hours: float = 2.5
    recordings: tuple[Path, ...] = ()

    @property
    def label(self) -> str:
        """What it is called in tables."""
        if self.recordings:
            return "recorded outages"
        return f"outages every {self.outage_hours:g} h"

    @property
    def key(self) -> dict[str, Any]:
        """What tells it from another, for results on disk."""
        recorded = [file_digest(path) for path in self.recordings]
        return {"pools": self.pools, "outage_hours": self.outage_hours, "recordings": recorded}

    def setup_in(self, setup: Setup) -> Setup:
        """Return a set-up with these pools."""
        return replace(setup, spot_pools=self.pools, spot_outage_hours=self.outage_hours)

    def settings_in(self, setup: Setup) -> WorldSettings:
        """Return the world of a set-up with these pools. Raises TraceError and OSError."""
        settings = settings_of(self.setup_in(setup))
        if not self.recordings:
            return settings
        played = played_by(self.pools, [read_spot_trace(path) for path in self.recordings])
        traces = {(pool, zone): trace for pool, trace in played.items() for zone in settings.zones}
        return replace(settings, spot_outages=None, spot_traces=traces)


def played_by(pools: Sequence[str], recordings: Sequence[SpotTrace]) -> dict[str, SpotTrace]:
    """Return the recording each pool plays, with its beginning moved where another pool plays it as well."""
    count = len(recordings)
    turns = -(-len(pools) // count)
    return {
        pool: recordings[index % count].beginning_at((index // count) * recordings[index % count].seconds // turns)
        for index, pool in enumerate(pools)
    }
