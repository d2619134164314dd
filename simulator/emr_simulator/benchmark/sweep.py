"""What a benchmark compares: every policy with its main knob swept."""

from collections.abc import Sequence

from emr_simulator.benchmark.cells import Variant
from emr_simulator.experiment import Setup
from emr_simulator.policies.registry import UnknownPolicyError, policy_of
from emr_simulator.workloads.model import Workload

REFERENCE = "emr-autoscaler"
"""What the others are compared with."""

_OWN = tuple(
    f"{REFERENCE}{knob}"
    for knob in (":1200", ":cost", ":450", ":350", ":270", "", ":160", ":120", ":speed", ":60", ":45")
)
"""The objectives, and drain times in seconds between and beyond them, from patient to hasty."""

ON_SPOT = (f"{REFERENCE}:cost", f"{REFERENCE}:balanced", f"{REFERENCE}:speed")
"""What is compared with itself on spot where no policies are named."""

_KNOBS: dict[str, tuple[str, ...]] = {
    "emr-autoscaler": _OWN,
    "emr-autoscaler@1min": tuple(f"{own}@1min" for own in _OWN),
    "emr-autoscaler@push": tuple(f"{own}@push" for own in _OWN),
    "emr-default-rules": ("emr-default-rules",),
    "managed-scaling": ("managed-scaling", "managed-scaling:300"),
    "dataproc": ("dataproc:0.05", "dataproc:0.1", "dataproc:0.25", "dataproc:0.5", "dataproc:1"),
    "twenty-percent": ("twenty-percent",),
    "step-rules": ("step-rules",),
    "drain-time": ("drain-time:480,60", "drain-time:240,180", "drain-time:120,300", "drain-time:60,420"),
    "clairvoyant": ("clairvoyant:1800", "clairvoyant:600", "clairvoyant:450", "clairvoyant:300"),
}
_STATIC_STEP = 6


def families() -> tuple[str, ...]:
    """Return the names that ``chosen`` knows, besides single policies."""
    return (*_KNOBS, "static")


def chosen(names: Sequence[str], setup: Setup) -> tuple[Variant, ...]:
    """Return the variants that names stand for, in order, each once.

    Args:
        names: Families (all their knobs) or single policies, as ``drain-time:240,180`` or
            ``emr-autoscaler:cost@push``; none stand for everything.
        setup: Static sizes go up to its most task nodes.

    Raises:
        UnknownPolicyError: A name stands for nothing.
    """
    variants: dict[Variant, None] = {}
    for name in names or families():
        for variant in _variants(name, setup):
            variants[variant] = None
    return tuple(variants)


def _variants(name: str, setup: Setup) -> tuple[Variant, ...]:
    if name in {"static", "best-static"}:
        most = setup.maximum_task_count
        sizes = sorted({*range(_STATIC_STEP, most + 1, _STATIC_STEP), most})
        return tuple(Variant(policy=f"static:{size}") for size in sizes)
    labels = _KNOBS.get(name, (name,))
    try:
        variants = tuple(Variant.from_label(label) for label in labels)
    except ValueError as error:
        msg = f"there is no policy {name!r}: after the @ comes 5min, 1min or push"
        raise UnknownPolicyError(msg) from error
    for variant in variants:
        policy_of(variant.policy, Workload(name="", jobs=(), seconds=0))
    return variants


def seeds_of(variant: Variant, seeds: int) -> range:
    """Return the seeds a variant is run with; a static size meets no chance after its nodes are there."""
    return range(1, 2 if variant.policy.startswith("static:") else seeds + 1)
