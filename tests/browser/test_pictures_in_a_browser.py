"""The documents' pictures as a browser shows them: both schemes."""

import pytest
from tests.support.browser import find_browser, probe
from tests.support.template import PROJECT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium: install chromium to look at the pictures"),
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["frontier.svg", "frontier-long-tasks.svg", "drain.svg", "want.svg", "hold.svg"])
def test_texts_of_a_picture_neither_overlap_nor_leave_it(tmp_path, name, dark):
    page = tmp_path / "picture.html"
    page.write_text(f"<!doctype html><body>{(PROJECT / 'docs/images' / name).read_text()}</body>")
    seen = probe(page, dark=dark)
    assert seen["charts"] == 1
    assert seen["overlaps"] == []
    assert seen["outside"] == []
    assert seen["fetched"] == 0
