"""How each family of policies looks, the same in every chart: its colour and its mark."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Class of the colour, and shape of the marks."""

    colour: str
    shape: str
    hollow: bool = False

    @property
    def mark_style(self) -> str:
        """Classes of its marks."""
        return f"{self.colour} hollow" if self.hollow else self.colour


_LOOKS = {
    "emr-autoscaler": Look(colour="own", shape="star"),
    "emr-autoscaler@1min": Look(colour="own2", shape="star"),
    "emr-autoscaler@push": Look(colour="own3", shape="star"),
    "drain-time": Look(colour="violet", shape="diamond"),
    "managed-scaling": Look(colour="orange", shape="square"),
    "dataproc": Look(colour="blue", shape="circle"),
    "emr-default-rules": Look(colour="red", shape="triangle"),
    "twenty-percent": Look(colour="brown", shape="triangle"),
    "step-rules": Look(colour="pink", shape="triangle"),
    "static": Look(colour="grey", shape="square", hollow=True),
    "clairvoyant": Look(colour="ink", shape="diamond", hollow=True),
}


def look_of(family: str) -> Look:
    """Return the look of a family; unknown ones look like those they vary."""
    plain = family.partition("@")[0]
    return _LOOKS.get(family) or _LOOKS.get(plain) or Look(colour="ink", shape="circle")
