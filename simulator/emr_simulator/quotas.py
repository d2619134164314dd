"""EMR's call quotas as token buckets in virtual time, and the count of every call."""

from emr_simulator.errors import ApiError
from emr_simulator.kernel import Kernel

ALL_CALLS = (25.0, 5.0)
BUCKETS: dict[str, tuple[float, float]] = {
    "DescribeCluster": (10, 1),
    "ListInstanceGroups": (10, 1),
    "ListClusters": (20, 0.5),
    "ListInstances": (10, 0.5),
    "ListSteps": (10, 0.5),
    "ListInstanceFleets": (5, 0.5),
    "ModifyInstanceGroups": (5, 0.5),
    "ModifyInstanceFleet": (5, 0.5),
    "AddInstanceGroups": (5, 0.5),
    "AddInstanceFleet": (5, 0.5),
    "TerminateJobFlows": (10, 0.5),
    "ListSupportedInstanceTypes": (10, 0.5),
    "RunJobFlow": (10, 0.5),
    "AddTags": (5, 0.5),
    "RemoveTags": (5, 0.5),
    "PutAutoScalingPolicy": (5, 0.5),
    "SetTerminationProtection": (5, 0.2),
}
"""Burst and refill per second by operation (public quota listings); others only share ALL_CALLS."""


class _Bucket:
    def __init__(self, burst: float, refill_per_second: float, now: int) -> None:
        self.burst = burst
        self.refill_per_second = refill_per_second
        self.tokens = burst
        self.at = now

    def refill(self, now: int) -> None:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.refill_per_second)
        self.at = now


class Quotas:
    """The quotas of one account and region."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._all = _Bucket(*ALL_CALLS, kernel.now)
        self._buckets = {name: _Bucket(*rate, kernel.now) for name, rate in BUCKETS.items()}

    def take(self, operation: str) -> None:
        """Count an EMR call and take its tokens.

        Raises:
            ApiError: ThrottlingException where a bucket is empty; no token is taken then.
        """
        self._kernel.calls[operation] += 1
        if not self._kernel.settings.enforce_quotas:
            return
        buckets = [self._all]
        if operation in self._buckets:
            buckets.append(self._buckets[operation])
        for bucket in buckets:
            bucket.refill(self._kernel.now)
        if any(bucket.tokens < 1 for bucket in buckets):
            raise ApiError("ThrottlingException", "Rate exceeded")
        for bucket in buckets:
            bucket.tokens -= 1
