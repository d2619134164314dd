"""Instance types this system can advise on: size, interruption bucket, and which suit which work.

Buckets are those of the public spot advisor for us-east-1 (2025-06-28): a start, which a pool's own experience
corrects. A type that is not here can be used all the same; nothing is known of it beforehand then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from emr_autoscaler.domain.policy import WorkloadProfile

POOLS_WANTED = 4
FEWEST_POOLS = 3
"""With fewer spot pools one outage takes a large part of the cluster: worth a warning."""

# name, vCPUs, memory in GiB, interruption bucket
_TABLE = """
m5.xlarge 4 16 4, m5.2xlarge 8 32 2, m5.4xlarge 16 64 3, m5.8xlarge 32 128 4
m5a.xlarge 4 16 3, m5a.2xlarge 8 32 4, m5a.4xlarge 16 64 4, m5a.8xlarge 32 128 4
m5d.xlarge 4 16 1, m5d.2xlarge 8 32 0, m5d.4xlarge 16 64 1, m5d.8xlarge 32 128 4
m5ad.xlarge 4 16 4, m5ad.2xlarge 8 32 2, m5ad.4xlarge 16 64 3, m5ad.8xlarge 32 128 4
m6i.xlarge 4 16 1, m6i.2xlarge 8 32 4, m6i.4xlarge 16 64 4, m6i.8xlarge 32 128 3
m6a.xlarge 4 16 4, m6a.2xlarge 8 32 4, m6a.4xlarge 16 64 3, m6a.8xlarge 32 128 4
m6id.xlarge 4 16 4, m6id.2xlarge 8 32 4, m6id.4xlarge 16 64 4, m6id.8xlarge 32 128 4
m7i.xlarge 4 16 3, m7i.2xlarge 8 32 4, m7i.4xlarge 16 64 1, m7i.8xlarge 32 128 0
m7a.xlarge 4 16 4, m7a.2xlarge 8 32 4, m7a.4xlarge 16 64 4, m7a.8xlarge 32 128 4
m5n.xlarge 4 16 1, m5n.2xlarge 8 32 0, m5n.4xlarge 16 64 4, m5n.8xlarge 32 128 3
m5dn.xlarge 4 16 3, m5dn.2xlarge 8 32 3, m5dn.4xlarge 16 64 4, m5dn.8xlarge 32 128 4
m6in.xlarge 4 16 2, m6in.2xlarge 8 32 4, m6in.4xlarge 16 64 4, m6in.8xlarge 32 128 1
m6idn.xlarge 4 16 1, m6idn.2xlarge 8 32 3, m6idn.4xlarge 16 64 1, m6idn.8xlarge 32 128 4
c5.xlarge 4 8 0, c5.2xlarge 8 16 1, c5.4xlarge 16 32 4, c5a.xlarge 4 8 0
c5a.2xlarge 8 16 2, c5a.4xlarge 16 32 1, c5a.8xlarge 32 64 2, c5d.xlarge 4 8 0
c5d.2xlarge 8 16 1, c5d.4xlarge 16 32 3, c6i.xlarge 4 8 3, c6i.2xlarge 8 16 1
c6i.4xlarge 16 32 3, c6i.8xlarge 32 64 1, c6a.xlarge 4 8 3, c6a.2xlarge 8 16 3
c6a.4xlarge 16 32 3, c6a.8xlarge 32 64 3, c7i.xlarge 4 8 4, c7i.2xlarge 8 16 4
c7i.4xlarge 16 32 3, c7i.8xlarge 32 64 2, c7a.xlarge 4 8 4, c7a.2xlarge 8 16 4
c7a.4xlarge 16 32 4, c7a.8xlarge 32 64 4, r5.xlarge 4 32 3, r5.2xlarge 8 64 4
r5.4xlarge 16 128 4, r5.8xlarge 32 256 4, r5a.xlarge 4 32 4, r5a.2xlarge 8 64 4
r5a.4xlarge 16 128 4, r5a.8xlarge 32 256 4, r5d.xlarge 4 32 4, r5d.2xlarge 8 64 4
r5d.4xlarge 16 128 4, r5d.8xlarge 32 256 4, r6i.xlarge 4 32 4, r6i.2xlarge 8 64 4
r6i.4xlarge 16 128 4, r6i.8xlarge 32 256 4, r6a.xlarge 4 32 4, r6a.2xlarge 8 64 4
r6a.4xlarge 16 128 4, r6a.8xlarge 32 256 4, r7i.xlarge 4 32 3, r7i.2xlarge 8 64 4
r7i.4xlarge 16 128 4, r7i.8xlarge 32 256 4, r7a.xlarge 4 32 1, r7a.2xlarge 8 64 3
r7a.4xlarge 16 128 4, r7a.8xlarge 32 256 4, t3.xlarge 4 16 2, t3.2xlarge 8 32 2
t3a.xlarge 4 16 4, t3a.2xlarge 8 32 3, m6g.xlarge 4 16 1, m6g.2xlarge 8 32 1
m6g.4xlarge 16 64 2, m6g.8xlarge 32 128 3, m7g.xlarge 4 16 1, m7g.2xlarge 8 32 1
m7g.4xlarge 16 64 1, m7g.8xlarge 32 128 1, c6g.xlarge 4 8 1, c6g.2xlarge 8 16 0
c6g.4xlarge 16 32 0, c6g.8xlarge 32 64 0, c7g.xlarge 4 8 0, c7g.2xlarge 8 16 0
c7g.4xlarge 16 32 0, c7g.8xlarge 32 64 0, r6g.xlarge 4 32 4, r6g.2xlarge 8 64 4
r6g.4xlarge 16 128 4, r6g.8xlarge 32 256 4, r7g.xlarge 4 32 4, r7g.2xlarge 8 64 4
r7g.4xlarge 16 128 4, r7g.8xlarge 32 256 1
"""

_GRAVITON = frozenset({"m6g", "m7g", "c6g", "c7g", "r6g", "r7g"})

CANDIDATES: Mapping[WorkloadProfile, tuple[str, ...]] = MappingProxyType(
    {
        WorkloadProfile.GENERAL: ("m5", "m6i", "m5a", "m5d", "m6a", "m7i", "m6id", "m7a", "m5ad"),
        WorkloadProfile.COMPUTE: ("c5", "c5a", "c6i", "c5d", "c6a", "c7i", "c7a"),
        WorkloadProfile.MEMORY: ("r5", "r6i", "r5a", "r5d", "r6a", "r7i", "r7a"),
        WorkloadProfile.NETWORK: ("m5n", "m6in", "m5dn", "m6idn"),
        WorkloadProfile.EXTERNAL_WAIT: ("t3", "t3a", "m5a", "m5", "m6a", "m6i", "m5d"),
    }
)
"""Families of one memory-to-vCPU class, the first asked first; all of one processor architecture."""

_SIZES: Mapping[WorkloadProfile, str] = MappingProxyType({WorkloadProfile.COMPUTE: "2xlarge"})
"""Where an xlarge has less YARN memory than EMR's larger containers need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownType:
    """What is known of one instance type.

    Attributes:
        name: For instance m5.xlarge.
        vcpus: Virtual CPUs.
        memory_gib: Memory.
        bucket: Spot advisor's interruption bucket, 0 (below 5 % a month) to 4 (above 20 %).
        is_x86: Neither Graviton nor anything else EMR configures differently.
    """

    name: str
    vcpus: int
    memory_gib: int
    bucket: int
    is_x86: bool


@cache
def known_types() -> Mapping[str, KnownType]:
    """Return every type of the table by name."""
    rows = (row.split() for row in _TABLE.replace("\n", ",").split(",") if row.strip())
    return MappingProxyType(
        {
            name: KnownType(
                name=name,
                vcpus=int(vcpus),
                memory_gib=int(memory),
                bucket=int(bucket),
                is_x86=name.partition(".")[0] not in _GRAVITON,
            )
            for name, vcpus, memory, bucket in rows
        }
    )


def interruption_bucket(instance_type: str) -> int | None:
    """Return the type's bucket (0-4); None where it is not in the table."""
    known = known_types().get(instance_type)
    return None if known is None else known.bucket


def candidates_of(profile: WorkloadProfile) -> tuple[str, ...]:
    """Return the types that suit a profile, the first asked first."""
    size = _SIZES.get(profile, "xlarge")
    return tuple(f"{family}.{size}" for family in CANDIDATES[profile])


def mixed_classes(instance_types: Sequence[str]) -> tuple[str, ...]:
    """Return the memory-to-vCPU classes (GiB for each vCPU) of these types, where they are of more than one."""
    found = [known for name in instance_types if (known := known_types().get(name)) is not None]
    ratios = sorted({known.memory_gib / known.vcpus for known in found})
    return tuple(f"{ratio:g}" for ratio in ratios) if len(ratios) > 1 else ()
