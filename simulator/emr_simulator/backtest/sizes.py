"""How large a recording's task capacity was: in nodes, or in units of its task fleet, which metrics do not say."""

from collections.abc import Sequence
from statistics import fmean, median

from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.fleets import FleetType
from emr_simulator.backtest.recording import Recording
from emr_simulator.backtest.work import Reading, Work


def measured_mib(work: Work) -> float | None:
    """Return the YARN memory of a mean node; None where none was seen."""
    shown = [
        reading.demand.total_mib / (reading.core_nodes + reading.task_nodes)
        for reading in work.readings
        if reading.core_nodes + reading.task_nodes > 0
    ]
    return median(shown) if shown else None


def mib_of(name: str, recording: Recording, measured: float | None) -> float | None:
    """Return the YARN memory of a node: as recorded where one type is all there is, else by the table."""
    return measured if recording.types == {name} else yarn_mib_per_node(name, learned=measured)


def unit_mib(recording: Recording, work: Work, types: Sequence[FleetType]) -> float | None:
    """Return the YARN memory one unit surely brings, as the decision reckons; None where no type is known."""
    measured = measured_mib(work)
    found = [(mib_of(kind.instance_type, recording, measured), kind.units) for kind in types]
    return min((mib / units for mib, units in found if mib), default=None)


def core_mib(recording: Recording, work: Work) -> float | None:
    """Return the YARN memory of a core node, the mean of its types: metrics do not tell them apart."""
    measured = measured_mib(work)
    known = [mib for name in recording.core_types if (mib := mib_of(name, recording, measured))]
    return fmean(known) if known else None


def recorded_sizes(recording: Recording, work: Work) -> list[float]:
    """Return the task nodes at each reading, or the units of the task fleet.

    Where every instance counts the same, nodes tell the units; else the memory beyond the core nodes does, and
    where that is not known a node is taken for a mean one.
    """
    fleet = recording.task_fleet
    if fleet is None:
        return [reading.task_nodes for reading in work.readings]
    weights = [kind.units for kind in fleet.types]
    of_core = core_mib(recording, work)
    of_unit = unit_mib(recording, work, fleet.types)
    told_by_memory = len(set(weights)) > 1 and of_core is not None

    def units(reading: Reading) -> float:
        if not told_by_memory or not reading.task_nodes or of_core is None or of_unit is None:
            return reading.task_nodes * fmean(weights)
        return round(max(0.0, reading.demand.total_mib - reading.core_nodes * of_core) / of_unit, 3)

    return [units(reading) for reading in work.readings]
