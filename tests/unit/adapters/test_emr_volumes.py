import pytest

from emr_autoscaler.adapters.emr_volumes import data_volumes, default_data_volumes, release_of, root_volume
from emr_autoscaler.domain.cluster import Volume


@pytest.mark.parametrize(
    ("instance_type", "sizes"),
    [
        ("m5.large", [32]),
        ("m5.xlarge", [32] * 2),
        ("r5.2xlarge", [32] * 4),
        ("c5n.4xlarge", [64] * 4),
        ("m6g.8xlarge", [128] * 4),
        ("m7i-flex.8xlarge", [128] * 4),
        ("r6i.12xlarge", [192] * 4),
        ("m4.16xlarge", [256] * 4),
        ("c6a.24xlarge", [384] * 4),
        ("m5d.xlarge", []),
        ("c6gd.2xlarge", []),
        ("r5dn.4xlarge", []),
        ("i3.2xlarge", []),
        ("m3.xlarge", []),
        ("x1e.xlarge", []),
        ("m5.metal", []),
        ("nonsense", []),
    ],
)
def test_types_without_disks_get_the_default_volumes(instance_type, sizes):
    assert [volume.size_gib for volume in default_data_volumes(instance_type)] == sizes


def test_reported_volumes_stand_in_place_of_the_defaults():
    device = {
        "VolumeSpecification": {"VolumeType": "io1", "SizeInGB": 500, "Iops": 5000},
        "Device": "/dev/sdb",
    }
    assert data_volumes("m5.xlarge", [device]) == (Volume(volume_type="io1", size_gib=500, iops=5000),)


@pytest.mark.parametrize(
    ("release", "volume"),
    [
        ("emr-5.36.0", Volume(volume_type="gp2", size_gib=10)),
        ("emr-6.9.1", Volume(volume_type="gp2", size_gib=10)),
        ("emr-6.10.0", Volume(volume_type="gp2", size_gib=15)),
        ("emr-6.14.0", Volume(volume_type="gp2", size_gib=15)),
        ("emr-6.15.0", Volume(volume_type="gp3", size_gib=15)),
        ("emr-7.2.0", Volume(volume_type="gp3", size_gib=15)),
        ("", Volume(volume_type="gp2", size_gib=10)),
    ],
)
def test_the_root_volume_goes_by_the_release(release, volume):
    assert root_volume({"ReleaseLabel": release}) == volume


def test_a_reported_root_volume_stands_in_place_of_the_default():
    described = {
        "ReleaseLabel": "emr-7.2.0",
        "EbsRootVolumeSize": 40,
        "EbsRootVolumeIops": 4000,
        "EbsRootVolumeThroughput": 250,
    }
    expected = Volume(volume_type="gp3", size_gib=40, iops=4000, throughput_mibps=250)
    assert root_volume(described) == expected


def test_a_label_that_is_no_release_has_no_version():
    assert release_of("emr-5.36.0") == (5, 36)
    assert release_of("custom") is None
