"""EMR's answers in botocore's shapes, from the World's descriptions; no call is made here."""

from datetime import datetime

from emr_simulator.apis.operations import Result, present, tag_list
from emr_simulator.catalogue import InstanceType
from emr_simulator.descriptions import (
    ClusterDescription,
    GroupDescription,
    InstanceDescription,
    StepDescription,
    VolumeSpec,
)


def cluster(described: ClusterDescription) -> Result:
    """Return a Cluster as DescribeCluster shows it."""
    replication = described.dfs_replication
    return {
        **cluster_summary(described),
        **present(
            Ec2InstanceAttributes={
                "Ec2AvailabilityZone": described.availability_zone,
                "Ec2SubnetId": described.subnet_id,
            },
            InstanceCollectionType="INSTANCE_FLEET" if described.uses_fleets else "INSTANCE_GROUP",
            ReleaseLabel=described.release_label,
            AutoTerminate=described.auto_terminate,
            TerminationProtected=described.termination_protected,
            VisibleToAllUsers=True,
            Applications=[{"Name": name} for name in described.applications],
            Tags=tag_list(described.tags),
            MasterPublicDnsName=described.master_public_dns or None,
            Configurations=[]
            if replication is None
            else [
                {
                    "Classification": "hdfs-site",
                    "Properties": {"dfs.replication": str(replication)},
                    "Configurations": [],
                }
            ],
            EbsRootVolumeSize=described.root_volume.size_gib,
            EbsRootVolumeIops=described.root_volume.iops,
            EbsRootVolumeThroughput=described.root_volume.throughput_mibps,
        ),
    }


def supported_type(kind: InstanceType) -> Result:
    """Return a SupportedInstanceType as ListSupportedInstanceTypes shows it."""
    return {
        "Type": kind.name,
        "MemoryGB": float(kind.memory_gib),
        "VCPU": kind.vcpus,
        "Is64BitsOnly": True,
        "InstanceFamilyId": kind.name.partition(".")[0],
        "EbsOptimizedAvailable": True,
        "EbsOptimizedByDefault": True,
        "NumberOfDisks": 0,
        "EbsStorageOnly": True,
    }


def cluster_summary(described: ClusterDescription) -> Result:
    """Return a ClusterSummary as ListClusters shows it."""
    return {
        "Id": described.cluster_id,
        "Name": described.name,
        "ClusterArn": described.arn,
        "Status": {
            "State": described.state.value,
            "StateChangeReason": present(
                Code=described.state_change_code or None, Message=described.state_change_message or None
            ),
            "Timeline": timeline(described.created_at, described.ready_at, described.ended_at),
        },
        "NormalizedInstanceHours": described.normalized_instance_hours,
    }


def group(described: GroupDescription) -> Result:
    """Return an InstanceGroup as ListInstanceGroups shows it."""
    scaling = {
        "Status": {"State": "ATTACHED", "StateChangeReason": {"Code": "USER_REQUEST", "Message": ""}},
        "Constraints": {"MinCapacity": 0, "MaxCapacity": max(1, described.requested_count)},
        "Rules": [],
    }
    bid = described.bid_price_usd
    return present(
        Id=described.group_id,
        Name=described.name or None,
        Market=described.market.value,
        InstanceGroupType=described.role.value,
        BidPrice=str(bid) if bid is not None else None,
        InstanceType=described.instance_type,
        RequestedInstanceCount=described.requested_count,
        RunningInstanceCount=described.running_count,
        Status={
            "State": described.state.value,
            "StateChangeReason": {"Message": described.state_change_message},
            "Timeline": timeline(described.created_at, described.ready_at, described.ended_at),
        },
        Configurations=[],
        EbsBlockDevices=[
            {"VolumeSpecification": volume(spec), "Device": device(number)}
            for number, spec in enumerate(described.volumes)
        ],
        ShrinkPolicy={},
        AutoScalingPolicy=scaling if described.has_auto_scaling_policy else None,
    )


def instance(described: InstanceDescription) -> Result:
    """Return an Instance as ListInstances shows it."""
    return present(
        Id=described.instance_id,
        Ec2InstanceId=described.ec2_instance_id or None,
        PrivateIpAddress=described.private_ip or None,
        Status={
            "State": described.state.value,
            "StateChangeReason": present(Code=described.state_change_code or None),
            "Timeline": timeline(described.created_at, described.ready_at, described.ended_at),
        },
        InstanceGroupId=None if described.in_fleet else described.group_id,
        InstanceFleetId=described.group_id if described.in_fleet else None,
        Market=described.market.value,
        InstanceType=described.instance_type,
        EbsVolumes=[
            {"Device": device(number), "VolumeId": volume_id}
            for number, volume_id in enumerate(described.volume_ids)
        ],
    )


def step(described: StepDescription) -> Result:
    """Return a StepSummary as ListSteps shows it."""
    return {
        "Id": described.step_id,
        "Name": described.name,
        "Config": {"Jar": "command-runner.jar", "Properties": {}, "Args": []},
        "ActionOnFailure": described.action_on_failure,
        "Status": {
            "State": described.state.value,
            "StateChangeReason": {},
            "Timeline": present(
                CreationDateTime=described.created_at,
                StartDateTime=described.started_at,
                EndDateTime=described.ended_at,
            ),
        },
    }


def timeline(created_at: datetime, ready_at: datetime | None, ended_at: datetime | None) -> Result:
    """Return when something was created, became ready and ended, as far as it has."""
    return present(CreationDateTime=created_at, ReadyDateTime=ready_at, EndDateTime=ended_at)


def volume(spec: VolumeSpec) -> Result:
    """Return a VolumeSpecification."""
    return present(
        VolumeType=spec.volume_type,
        SizeInGB=spec.size_gib,
        Iops=spec.iops,
        Throughput=spec.throughput_mibps,
    )


def device(number: int) -> str:
    """Return the name of a data volume's device."""
    return f"/dev/sd{chr(ord('b') + number)}"
