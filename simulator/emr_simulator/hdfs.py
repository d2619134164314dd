"""HDFS of one cluster as amounts: how full, which blocks are at risk; no files, no placement."""

from dataclasses import dataclass, field

MIB_PER_GIB = 1024
BLOCK_MIB = 128
FULL_FRACTION = 0.9
"""A node over this fraction of its disk becomes unhealthy: what remains after a shrink must stay below."""


@dataclass(slots=True, kw_only=True)
class Hdfs:
    """Blocks and their room.

    Attributes:
        used_gib: Disk used, replicas included.
        capacity_gib: Disk of the core nodes in service, leaving ones included.
        missing, corrupt: Blocks.
        told_under_replicated: Under-replicated blocks that a scenario asked for.
        copying: Blocks being copied, by the second at which they are safe.
    """

    used_gib: float = 0.0
    capacity_gib: int = 0
    missing: int = 0
    corrupt: int = 0
    told_under_replicated: int = 0
    copying: dict[int, int] = field(default_factory=dict)

    @property
    def utilization_percent(self) -> float:
        """Used share of the capacity, at most 100; 0 without core nodes."""
        if not self.capacity_gib:
            return 0.0
        return min(100.0, 100.0 * self.used_gib / self.capacity_gib)

    @property
    def remaining_gib(self) -> float:
        """Free capacity."""
        return max(0.0, self.capacity_gib - self.used_gib)

    def under_replicated(self, now: int) -> int:
        """Return the blocks that have fewer copies than they should."""
        return self.told_under_replicated + sum(n for safe_at, n in self.copying.items() if safe_at > now)

    def fits_without(self, gib: int) -> bool:
        """Return whether the blocks fit below the full mark once ``gib`` of capacity has left."""
        return self.used_gib <= FULL_FRACTION * (self.capacity_gib - gib)

    def copy_away(self, node_gib: int, now: int, mib_per_second: int) -> int:
        """Begin to copy the blocks of one node of ``node_gib``; return when they are safe."""
        share_gib = self.used_gib * node_gib / self.capacity_gib if self.capacity_gib else 0.0
        share_mib = share_gib * MIB_PER_GIB
        safe_at = now + round(share_mib / mib_per_second)
        blocks = round(share_mib / BLOCK_MIB)
        if blocks:
            self.copying[safe_at] = self.copying.get(safe_at, 0) + blocks
        return safe_at

    def lose(self, node_gib: int, replication: int, now: int, mib_per_second: int) -> None:
        """Take a node that had no time to leave: its blocks are copied from replicas, or are missing."""
        if replication == 1 and self.capacity_gib:
            share_gib = self.used_gib * node_gib / self.capacity_gib
            self.missing += round(share_gib * MIB_PER_GIB / BLOCK_MIB)
            self.used_gib -= share_gib
        else:
            self.copy_away(node_gib, now, mib_per_second)
        self.capacity_gib -= node_gib
