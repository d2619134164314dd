"""Which EBS volumes an EMR instance has: what EMR reports, and its defaults where it reports none.

Prices are not here. Sources: EMR Management Guide, "Instance storage options" and "Customizing the
Amazon EBS root device volume".
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from emr_autoscaler.domain.cluster import Volume

if TYPE_CHECKING:
    from mypy_boto3_emr.type_defs import ClusterTypeDef, EbsBlockDeviceTypeDef

_RELEASE = re.compile(r"emr-(\d+)\.(\d+)")
_LARGER_ROOT_SINCE = (6, 10)
_GP3_ROOT_SINCE = (6, 15)

# Families without disks of their own: general, compute and memory types of generation 4 and later,
# unless a d in the suffix says that they have some (m5d, c6gd), and a few accelerated ones.
_EBS_ONLY_FAMILY = re.compile(r"^(?:[mcr][4-9]\d*[abeginz]*|p2|p3|g3s?)(?:-flex)?$")

_DEFAULT_DATA_VOLUMES = {
    "large": (1, 32),
    "xlarge": (2, 32),
    "2xlarge": (4, 32),
    "4xlarge": (4, 64),
    "8xlarge": (4, 128),
    "12xlarge": (4, 192),
    "16xlarge": (4, 256),
    "24xlarge": (4, 384),
}


def release_of(label: str) -> tuple[int, int] | None:
    """Return (major, minor) of a release label such as emr-7.2.0, or None where it is none."""
    match = _RELEASE.match(label)
    return (int(match[1]), int(match[2])) if match else None


def root_volume(description: "ClusterTypeDef") -> Volume:
    """Return the root volume of a cluster's instances; sizes and types by release where not reported."""
    release = release_of(description.get("ReleaseLabel", "")) or (0, 0)
    return Volume(
        volume_type="gp3" if release >= _GP3_ROOT_SINCE else "gp2",
        size_gib=description.get("EbsRootVolumeSize") or (15 if release >= _LARGER_ROOT_SINCE else 10),
        iops=description.get("EbsRootVolumeIops"),
        throughput_mibps=description.get("EbsRootVolumeThroughput"),
    )


def data_volumes(instance_type: str, reported: "Iterable[EbsBlockDeviceTypeDef]") -> tuple[Volume, ...]:
    """Return the volumes beyond the root volume: those EMR reports, else the defaults of the type."""
    volumes = tuple(
        Volume(
            volume_type=specification["VolumeType"],
            size_gib=specification["SizeInGB"],
            iops=specification.get("Iops"),
            throughput_mibps=specification.get("Throughput"),
        )
        for device in reported
        if (specification := device.get("VolumeSpecification")) and "SizeInGB" in specification
    )
    return volumes or default_data_volumes(instance_type)


def default_data_volumes(instance_type: str) -> tuple[Volume, ...]:
    """Return what EMR attaches to an EBS-only type when nobody asked for volumes; () for other types.

    EMR attaches gp2 or gp3 and does not document when which; gp2, the dearer one, never understates.
    """
    family, _, size = instance_type.partition(".")
    if not _EBS_ONLY_FAMILY.match(family) or size not in _DEFAULT_DATA_VOLUMES:
        return ()
    count, size_gib = _DEFAULT_DATA_VOLUMES[size]
    return (Volume(volume_type="gp2", size_gib=size_gib),) * count
