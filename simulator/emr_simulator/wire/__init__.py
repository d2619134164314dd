"""The World on the wire: AWS's protocols on loopback, so that real adapters can talk to it."""

from emr_simulator.wire.server import WireServer

__all__ = ["WireServer"]
