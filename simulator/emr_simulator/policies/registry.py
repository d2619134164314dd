"""Every policy by its name, knobs after a colon: ``drain-time:240,180``, ``static:36``, ``emr-autoscaler:cost``.

What a policy does is in its own file. ``best-static`` has no driver: it is chosen among the static sizes of a
benchmark after they have run (benchmark/document.py).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from emr_simulator.experiment import PolicyDriver
from emr_simulator.inprocess.autoscaler import KNOB, AutoscalerPolicy
from emr_simulator.inprocess.autoscaler import NAME as AUTOSCALER
from emr_simulator.policies.clairvoyant import Clairvoyant
from emr_simulator.policies.dataproc import Dataproc
from emr_simulator.policies.drain_time import DrainTime
from emr_simulator.policies.emr_default_rules import EmrDefaultRules
from emr_simulator.policies.managed_scaling import ManagedScaling
from emr_simulator.policies.static import StaticPolicy
from emr_simulator.policies.step_rules import StepRules
from emr_simulator.policies.twenty_percent import TwentyPercent
from emr_simulator.workloads.model import Workload


class UnknownPolicyError(ValueError):
    """There is no policy of this name, or its knobs cannot be used; the message says what is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Policies that differ in their knobs only.

    Attributes:
        name: Before the colon.
        knobs: How they are written, for people.
        summary: One clause on what it does.
        pattern: Of the whole text after the colon.
        needs_knobs: Whether the name alone means nothing.
    """

    name: str
    knobs: str
    summary: str
    pattern: str
    build: Callable[[tuple[str, ...], Workload], PolicyDriver]
    needs_knobs: bool = False


_WHOLE, _FACTOR = r"(\d{1,5})", r"(0?\.\d+|1(?:\.0+)?|0)"

FAMILIES = (
    Family(
        name=AUTOSCALER,
        knobs="[:OBJECTIVE|:SECONDS]",
        summary="the deployed use cases, woken by the same events, alarms and schedules; cost, balanced, speed, "
        "or a drain time in seconds",
        pattern=f"({KNOB})",
        build=lambda knobs, _work: AutoscalerPolicy(*knobs),
    ),
    Family(
        name="static",
        knobs=":N",
        summary="N task nodes from beginning to end",
        pattern=r"(\d{1,4})",
        build=lambda knobs, _work: StaticPolicy(int(knobs[0])),
        needs_knobs=True,
    ),
    Family(
        name="emr-default-rules",
        knobs="",
        summary="EMR automatic scaling with its default rules",
        pattern="",
        build=lambda _knobs, _work: EmrDefaultRules(),
    ),
    Family(
        name="managed-scaling",
        knobs="[:HOLD]",
        summary="a stand-in for EMR managed scaling; HOLD seconds before a scale-in",
        pattern=_WHOLE,
        build=lambda knobs, _work: ManagedScaling(*map(int, knobs)),
    ),
    Family(
        name="dataproc",
        knobs="[:UP[,DOWN]]",
        summary="Google Dataproc's formula with its scale-up and scale-down factors",
        pattern=f"{_FACTOR}(?:,{_FACTOR})?",
        build=lambda knobs, _work: Dataproc(*map(float, knobs)),
    ),
    Family(
        name="twenty-percent",
        knobs="",
        summary="a fifth out where containers wait, a fifth in outside of office hours",
        pattern="",
        build=lambda _knobs, _work: TwentyPercent(),
    ),
    Family(
        name="step-rules",
        knobs="",
        summary="three out above 95 % memory, one in below 90 %",
        pattern="",
        build=lambda _knobs, _work: StepRules(),
    ),
    Family(
        name="drain-time",
        knobs="[:TAU,HOLD]",
        summary="nodes that drain the present work within TAU seconds, scaled in after HOLD",
        pattern=f"0*([1-9]\\d{{0,4}}),{_WHOLE}",
        build=lambda knobs, _work: DrainTime(*map(int, knobs)),
    ),
    Family(
        name="clairvoyant",
        knobs="[:SECONDS]",
        summary="knows the work to come and plays the offline optimum for a mean delay of SECONDS",
        pattern=r"0*([1-9]\d{0,3})",
        build=lambda knobs, work: Clairvoyant(work, *map(int, knobs)),
    ),
)


def policy_of(name: str, workload: Workload) -> PolicyDriver:
    """Return a new driver of the policy called ``name``.

    Args:
        name: Family and knobs.
        workload: What it will run on; only the clairvoyant looks at it.

    Raises:
        UnknownPolicyError: There is none.
    """
    kind, colon, knobs = name.partition(":")
    for family in FAMILIES:
        if family.name != kind:
            continue
        found = re.fullmatch(family.pattern, knobs) if colon and family.pattern else None
        if found is not None:
            return family.build(tuple(knob for knob in found.groups() if knob is not None), workload)
        if not colon and not family.needs_knobs:
            return family.build((), workload)
    msg = f"there is no policy {name!r}; known are {', '.join(f.name + f.knobs for f in FAMILIES)}"
    raise UnknownPolicyError(msg)
