"""Amounts cut to a grid so that they still add up: those that lose most by the cut are lifted first."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal, localcontext

from emr_autoscaler.domain.costs import exact_sum

_DIGITS = 200


def rounded(amounts: Sequence[Decimal], places: int) -> list[Decimal]:
    """Round amounts to decimal places so that they add up to their rounded sum (largest remainder)."""
    step = Decimal(1).scaleb(-places)
    with localcontext(prec=_DIGITS):
        return _lifted(amounts, exact_sum(amounts).quantize(step), step)


def shares(whole: Decimal, weights: Sequence[Decimal], step: Decimal) -> list[Decimal]:
    """Split an amount on a grid of ``step`` in proportion to weights; the parts add up to it exactly.

    Args:
        whole: The amount, a multiple of ``step``.
        weights: Zero or more each; where all are zero the parts are equal.
        step: The grid.
    """
    with localcontext(prec=_DIGITS):
        total = exact_sum(weights)
        even = Decimal(1) / len(weights) if weights else Decimal(0)
        wanted = [whole * weight / total if total else whole * even for weight in weights]
        return _lifted(wanted, whole, step)


def _lifted(amounts: Sequence[Decimal], whole: Decimal, step: Decimal) -> list[Decimal]:
    floors = [amount.quantize(step, rounding=ROUND_FLOOR) for amount in amounts]
    missing = int((whole - exact_sum(floors)) / step)
    cut = sorted(range(len(amounts)), key=lambda n: (floors[n] - amounts[n], n))
    for index in cut[:missing]:
        floors[index] += step
    return floors
