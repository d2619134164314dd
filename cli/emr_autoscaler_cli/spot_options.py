"""What simulate and benchmark take of spot: the pools' types, and for benchmark the markets to compare."""

import argparse
from pathlib import Path

from emr_autoscaler_cli.failures import UsageError
from emr_simulator.benchmark.spot_market import SpotMarket
from emr_simulator.catalogue import TYPES, pools_like
from emr_simulator.errors import TraceError
from emr_simulator.spot_traces import read_spot_trace

SPOT_POOLS = 4
OUTAGE_HOURS = (24.0, 2.5)
"""A calm market, and the mean of those that were measured to be scarce."""


def add_pools_argument(parser: argparse._ArgumentGroup) -> None:
    """Add the option that names the pools."""
    parser.add_argument(
        "--pools",
        nargs="+",
        metavar="TYPE",
        help="types of the spot pools, with --market spot (default: the four cheapest as large as the nodes)",
    )


def pools_of(arguments: argparse.Namespace, instance_type: str) -> tuple[str, ...]:
    """Return the types of the spot pools.

    Raises:
        UsageError: One is not known, or none is named though --market is not spot.
    """
    if arguments.pools is None:
        return pools_like(instance_type, SPOT_POOLS)
    unknown = [name for name in arguments.pools if name not in TYPES]
    if unknown:
        msg = f"--pools: {unknown[0]!r} is not one of {', '.join(sorted(TYPES))}"
        raise UsageError(msg)
    return tuple(dict.fromkeys(arguments.pools))


def markets_of(arguments: argparse.Namespace, instance_type: str) -> tuple[SpotMarket, ...]:
    """Return the spot markets that benchmark is to compare with on demand; none where it is not asked to.

    Raises:
        UsageError: An option needs --market spot, or a recording cannot be used.
    """
    if arguments.market != "spot":
        for option in ("pools", "outage_hours", "spot_trace"):
            if getattr(arguments, option) is not None:
                msg = f"--{option.replace('_', '-')} needs --market spot"
                raise UsageError(msg)
        return ()
    pools = pools_of(arguments, instance_type)
    random = tuple(
        SpotMarket(pools=pools, outage_hours=hours)
        for hours in dict.fromkeys(arguments.outage_hours or OUTAGE_HOURS)
    )
    if arguments.spot_trace is None:
        return random
    for path in arguments.spot_trace:
        _check_recording(path)
    return (*random, SpotMarket(pools=pools, recordings=tuple(arguments.spot_trace)))


def _check_recording(path: Path) -> None:
    try:
        read_spot_trace(path)
    except TraceError as error:
        msg = f"--spot-trace: {error}"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"--spot-trace: {path}: {error.strerror}"
        raise UsageError(msg) from error
