"""The committed pictures are those that the code draws now; that of a benchmark shows what its results were."""

from xml.etree import ElementTree as ET

import pytest
from tests.support.template import PROJECT

from emr_simulator.pictures.__main__ import FRONTIERS, PICTURES

IMAGES = PROJECT / "docs/images"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_the_rule_does_now(name: str) -> None:
    drawn = PICTURES[name]()
    assert (IMAGES / name).read_text() == drawn, "run: make figures"


def test_every_picture_is_shown_in_a_document_and_can_be_drawn_again() -> None:
    shown = "".join(path.read_text() for path in PROJECT.glob("docs/*.md"))
    names = {path.name for path in IMAGES.iterdir()}
    assert names == {*PICTURES, *FRONTIERS}
    assert [name for name in names if f"](images/{name})" not in shown] == []


@pytest.mark.parametrize("name", FRONTIERS)
def test_a_frontier_is_valid_and_small(name: str) -> None:
    text = (IMAGES / name).read_text()
    assert len(text) < 60_000
    assert ET.fromstring(text).get("width")
