"""Ask release and zone which instance types can be had: enrolment's question, and doctor's; nothing is created."""

from collections.abc import Sequence

from emr_autoscaler.domain.errors import NotFoundError, RefusedError
from emr_autoscaler.domain.pool_selection import Availability
from emr_autoscaler.ports import ClusterReader, Compute


def availability_of(
    types: Sequence[str], *, release_label: str, zone: str, reader: ClusterReader, compute: Compute
) -> Availability:
    """Return which of ``types`` can be had; what cannot be asked is not held against a type.

    Args:
        types: Instance types in question.
        release_label: Of the cluster, for instance emr-7.2.0.
        zone: Where it runs; empty while that is not known.
        reader: Knows what a release supports.
        compute: Knows what a zone offers.

    Raises:
        UnavailableError: EMR or EC2 throttles or fails.
        RefusedError: EC2 refuses to answer.
    """
    try:
        supported, knows_release = reader.supported_types(release_label), True
    except (RefusedError, NotFoundError):
        supported, knows_release = frozenset(types), False  # a release too old, or too new, for the call
    return Availability(
        supported=supported,
        offered=compute.offered_types(types, zone) if zone else frozenset(types),
        release=release_label,
        place=zone or "the zone",
        knows_release=knows_release,
    )
