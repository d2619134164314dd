# Typed surface of the World, final names; the implementation follows and this file goes.
# All times are aware UTC datetimes. Every API call takes one quota token and counts in world.calls;
# a pager calls the same method once per page. Errors: emr_simulator.errors.ApiError(code, message, status).
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from emr_simulator.descriptions import *
from emr_simulator.settings import WorldSettings
from emr_simulator.words import *
from emr_simulator.workloads.model import Job

class EmrApi:  # world.emr
    def describe_cluster(self, cluster_id: str) -> ClusterDescription: ...
    def list_clusters(
        self,
        *,
        states: Sequence[str] = (),
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> tuple[ClusterDescription, ...]: ...  # newest first
    def list_instance_groups(self, cluster_id: str) -> tuple[GroupDescription, ...]: ...
    def list_instances(
        self,
        cluster_id: str,
        *,
        group_id: str | None = None,
        group_types: Sequence[str] = (),
        states: Sequence[str] = (),
    ) -> tuple[InstanceDescription, ...]: ...
    def list_steps(
        self, cluster_id: str, *, states: Sequence[str] = ()
    ) -> tuple[StepDescription, ...]: ...  # newest first
    def modify_instance_groups(self, cluster_id: str | None, resizes: Sequence[GroupResize]) -> None: ...
    def add_instance_groups(self, cluster_id: str, groups: Sequence[GroupSpec]) -> tuple[str, ...]: ...
    def terminate_job_flows(self, cluster_ids: Sequence[str]) -> None: ...
    def set_termination_protection(self, cluster_ids: Sequence[str], *, protected: bool) -> None: ...
    def add_tags(self, cluster_id: str, tags: Mapping[str, str]) -> None: ...
    def remove_tags(self, cluster_id: str, keys: Sequence[str]) -> None: ...
    def get_managed_scaling_policy(self, cluster_id: str) -> ManagedScaling | None: ...
    def run_job_flow(self, spec: ClusterSpec) -> str: ...  # -> cluster id
    def add_job_flow_steps(self, cluster_id: str, steps: Sequence[StepSpec]) -> tuple[str, ...]: ...

class Ec2Api:  # world.ec2
    def describe_instances(
        self,
        *,
        instance_ids: Sequence[str] = (),
        tags: Mapping[str, Sequence[str]] | None = None,
        states: Sequence[str] = (),
    ) -> tuple[
        Ec2Instance, ...
    ]: ...  # unknown id: InvalidInstanceID.NotFound; terminated ones are known for an hour
    def describe_spot_price_history(
        self,
        *,
        instance_types: Sequence[str],
        availability_zone: str | None = None,
        start: datetime,
        end: datetime,
    ) -> tuple[SpotPrice, ...]: ...  # newest first, the price in force at start included

class CloudWatchApi:  # world.cloudwatch
    def put_metric_alarm(self, alarm: MetricAlarm) -> None: ...
    def delete_alarms(self, names: Sequence[str]) -> None: ...
    def describe_alarms(
        self, *, prefix: str = "", names: Sequence[str] = ()
    ) -> tuple[AlarmDescription, ...]: ...  # by name
    def get_metric_data(
        self, queries: Sequence[MetricQuery], *, start: datetime, end: datetime
    ) -> tuple[MetricSeries, ...]: ...

class PricingApi:  # world.pricing
    def get_products(
        self, service_code: str, filters: Mapping[str, str]
    ) -> tuple[
        dict[str, Any], ...
    ]: ...  # price list documents (dicts as in the JSON strings of the real call)

class BillLine:  # frozen dataclass
    cluster_id: str
    hour: datetime
    group_id: str
    component: BillComponent
    seconds: int
    usd_exact: Fraction
    @property
    def usd(self) -> Decimal: ...

class Bill:
    lines: tuple[BillLine, ...]
    def total_usd(
        self, *, cluster_id: str | None = None, component: BillComponent | None = None
    ) -> Decimal: ...

class Ledger:
    def bill(
        self, *, until: datetime | None = None
    ) -> Bill: ...  # instances alive count up to `until` (default now)

class World:
    def __init__(self, *, seed: int, start: datetime, settings: WorldSettings = ...) -> None: ...
    settings: WorldSettings
    emr: EmrApi
    ec2: Ec2Api
    cloudwatch: CloudWatchApi
    pricing: PricingApi
    ledger: Ledger
    calls: Counter[
        str
    ]  # by operation name: "ModifyInstanceGroups", "DescribeInstances", "GetMetricData", ...
    @property
    def now(self) -> datetime: ...
    def run_until(self, moment: datetime, *, stop_at_events: bool = False) -> datetime: ...  # returns now
    def run_for(self, duration: timedelta) -> datetime: ...
    def take_events(self) -> list[dict[str, Any]]: ...
    # what the story does
    def submit_job(self, cluster_id: str, job: Job, *, at: datetime | None = None) -> None: ...
    def add_step(self, cluster_id: str, step: StepSpec) -> str: ...
    def warn_spot_interruption(self, instance_id: str) -> None: ...  # EC2 id
    def recommend_rebalance(self, instance_id: str) -> None: ...
    def dry_pool(
        self, instance_type: str, zone: str, until: datetime, *, market: Market = Market.SPOT
    ) -> None: ...
    def set_spot_price(self, instance_type: str, zone: str, usd_per_hour: Decimal) -> None: ...
    def set_hdfs_used_gib(self, cluster_id: str, gib: float) -> None: ...
    def set_hdfs_blocks(
        self, cluster_id: str, *, missing: int = 0, corrupt: int = 0, under_replicated: int = 0
    ) -> None: ...
    def set_group_state(self, cluster_id: str, group_id: str, state: GroupState) -> None: ...
    def hold_metrics(self, cluster_id: str, *, until: datetime) -> None: ...  # nothing sampled
    def add_foreign_instance(
        self, instance_type: str, zone: str, *, market: Market = Market.SPOT
    ) -> str: ...  # EC2 id
    def emit(
        self, detail_type: str, source: str, detail: dict[str, Any], resources: list[str] = ...
    ) -> None: ...  # any other event of the account
