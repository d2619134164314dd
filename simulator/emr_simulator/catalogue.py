"""Instance types and list prices of the simulated region: a small built-in table, the same in every region.

Prices are the public us-east-1 list; EMR fees are a quarter of them where no better sample is public,
rounded as AWS publishes them. YARN memory is EMR's default for the type (task configuration pages).
"""

from dataclasses import dataclass
from decimal import Decimal

from emr_simulator.descriptions import VolumeSpec
from emr_simulator.errors import validation


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """One instance type.

    Attributes:
        yarn_mib: Memory YARN offers on one node.
        on_demand_usd: USD per hour, EC2 only.
        emr_fee_usd: USD per hour, on top.
    """

    name: str
    vcpus: int
    memory_gib: int
    yarn_mib: int
    on_demand_usd: Decimal
    emr_fee_usd: Decimal


# name: vCPUs, memory GiB, YARN MiB, EC2 USD/h, EMR USD/h
_TABLE = """
m5.xlarge 4 16 12288 0.192 0.048
m5.2xlarge 8 32 24576 0.384 0.096
m5.4xlarge 16 64 57344 0.768 0.192
m5.8xlarge 32 128 122880 1.536 0.270
m5.12xlarge 48 192 188416 2.304 0.270
m5a.xlarge 4 16 12288 0.172 0.043
m5a.2xlarge 8 32 24576 0.344 0.086
m5a.4xlarge 16 64 57344 0.688 0.172
m5a.8xlarge 32 128 122880 1.376 0.270
m6i.xlarge 4 16 12288 0.192 0.048
m6i.2xlarge 8 32 24576 0.384 0.096
m6i.4xlarge 16 64 57344 0.768 0.192
m6a.xlarge 4 16 12288 0.1728 0.0432
m5n.xlarge 4 16 12288 0.238 0.0595
m6in.xlarge 4 16 12288 0.27846 0.06962
m6g.xlarge 4 16 11712 0.154 0.0385
m6g.2xlarge 8 32 23424 0.308 0.077
m6g.4xlarge 16 64 54272 0.616 0.154
r5.xlarge 4 32 24576 0.252 0.063
r5.2xlarge 8 64 57344 0.504 0.126
r5.4xlarge 16 128 122880 1.008 0.252
r5a.xlarge 4 32 24576 0.226 0.0565
r5a.2xlarge 8 64 57344 0.452 0.113
r5a.4xlarge 16 128 122880 0.904 0.226
r6i.xlarge 4 32 24576 0.252 0.063
r6a.xlarge 4 32 24576 0.2268 0.0567
c5a.2xlarge 8 16 12288 0.308 0.077
c6i.2xlarge 8 16 12288 0.340 0.085
c6a.2xlarge 8 16 12288 0.306 0.0765
c5.xlarge 4 8 6144 0.170 0.043
c5.2xlarge 8 16 12288 0.340 0.085
c5.4xlarge 16 32 24576 0.680 0.170
"""


def _read_table() -> dict[str, InstanceType]:
    types = {}
    for line in _TABLE.split("\n"):
        if line:
            name, vcpus, memory, yarn, price, fee = line.split()
            types[name] = InstanceType(
                name=name,
                vcpus=int(vcpus),
                memory_gib=int(memory),
                yarn_mib=int(yarn),
                on_demand_usd=Decimal(price),
                emr_fee_usd=Decimal(fee),
            )
    return types


TYPES = _read_table()
"""Every type the simulated region offers, by name."""


def pools_like(type_name: str, count: int) -> tuple[str, ...]:
    """Return the cheapest types that are as large as this one, to YARN as well: spot pools that go together."""
    wanted = TYPES[type_name]
    alike = [
        kind
        for kind in TYPES.values()
        if (kind.vcpus, kind.memory_gib, kind.yarn_mib) == (wanted.vcpus, wanted.memory_gib, wanted.yarn_mib)
    ]
    cheapest = sorted(alike, key=lambda kind: (kind.on_demand_usd + kind.emr_fee_usd, kind.name))
    return tuple(kind.name for kind in cheapest[:count])


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumePrice:
    """What one volume type costs, USD per month (us-east-1 list)."""

    gib_usd: Decimal
    iops_usd: Decimal = Decimal(0)
    mibps_usd: Decimal = Decimal(0)
    free_iops: int = 0
    free_mibps: int = 0


VOLUMES = {
    "gp3": VolumePrice(
        gib_usd=Decimal("0.08"),
        iops_usd=Decimal("0.005"),
        mibps_usd=Decimal("0.04"),
        free_iops=3000,
        free_mibps=125,
    ),
    "gp2": VolumePrice(gib_usd=Decimal("0.10")),
    "io1": VolumePrice(gib_usd=Decimal("0.125"), iops_usd=Decimal("0.065")),
    "io2": VolumePrice(gib_usd=Decimal("0.125"), iops_usd=Decimal("0.065")),
    "st1": VolumePrice(gib_usd=Decimal("0.045")),
    "sc1": VolumePrice(gib_usd=Decimal("0.015")),
}
"""Every volume type, by its API name."""

_DATA_VOLUMES = {
    "large": (1, 32),
    "xlarge": (2, 32),
    "2xlarge": (4, 32),
    "4xlarge": (4, 64),
    "8xlarge": (4, 128),
    "12xlarge": (4, 192),
    "16xlarge": (4, 256),
    "24xlarge": (4, 384),
}
_FIRST_GP3 = (6, 15)
_FIRST_15_GIB = (6, 10)


def instance_type(name: str) -> InstanceType:
    """Return a type. Raises ApiError (ValidationException) where the region has none of this name."""
    if name not in TYPES:
        raise validation(f"Invalid InstanceType : {name}.")
    return TYPES[name]


def _release(label: str) -> tuple[int, int]:
    major, minor = label.removeprefix("emr-").split(".")[:2]
    return int(major), int(minor)


def default_root_volume(release_label: str) -> VolumeSpec:
    """Return the root volume EMR gives instances of a release."""
    release = _release(release_label)
    return VolumeSpec(
        volume_type="gp3" if release >= _FIRST_GP3 else "gp2",
        size_gib=15 if release >= _FIRST_15_GIB else 10,
    )


def default_data_volumes(type_name: str, release_label: str) -> tuple[VolumeSpec, ...]:
    """Return the data volumes EMR gives an EBS-only type."""
    volumes, size_gib = _DATA_VOLUMES[type_name.split(".")[1]]
    volume_type = "gp3" if _release(release_label) >= _FIRST_GP3 else "gp2"
    return (VolumeSpec(volume_type=volume_type, size_gib=size_gib),) * volumes
