"""A small World behind AWS's protocols, for looking at it by hand; the demo drives a World of its own."""

import argparse
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from emr_simulator.descriptions import ClusterSpec, GroupSpec
from emr_simulator.wire.server import WireServer
from emr_simulator.words import Market, Role
from emr_simulator.world import World


def main(arguments: list[str] | None = None) -> int:
    """Serve one cluster until stopped, and print the variables that point boto3 at it."""
    parser = argparse.ArgumentParser(prog="python -m emr_simulator.wire", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="of the World")
    parser.add_argument("--speed", type=Decimal, default=Decimal(60), help="virtual seconds for each second")
    options = parser.parse_args(arguments)
    world = World(seed=options.seed, start=datetime.now(UTC).replace(microsecond=0))
    cluster_id = world.emr.run_job_flow(_example())
    with WireServer(world, port=options.port) as server:
        try:
            for name, value in server.environment.items():
                print(f"export {name}={value}")  # noqa: T201 - this is what the command is for
            print(f"# cluster {cluster_id}; GET {server.endpoint}/clock", flush=True)  # noqa: T201 - as above
            while True:
                time.sleep(1)
                with server.lock:
                    world.run_for(timedelta(seconds=int(options.speed)))
        except KeyboardInterrupt:
            return 0


def _example() -> ClusterSpec:
    return ClusterSpec(
        name="example",
        tags={"emr-autoscaler:policy": "default"},
        groups=(
            GroupSpec(role=Role.MASTER, market=Market.ON_DEMAND, instance_type="m5.xlarge", count=1),
            GroupSpec(role=Role.CORE, market=Market.ON_DEMAND, instance_type="m5.xlarge", count=4),
            GroupSpec(role=Role.TASK, market=Market.SPOT, instance_type="m5.xlarge", count=2),
        ),
    )


if __name__ == "__main__":
    # A shell lets what it starts in the background ignore interrupts, and nobody tells of a SIGTERM otherwise.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    sys.exit(main())
