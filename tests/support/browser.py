"""Headless Chromium on a page of this project, driven by its command line alone."""

import json
import re
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PROBE = """
<script>
addEventListener('load', () => {
  const overlaps = [];
  for (const svg of document.querySelectorAll('svg')) {
    const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
    boxes.forEach(([name, a], n) => boxes.slice(n + 1).forEach(([other, b]) => {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 3) overlaps.push(name + ' / ' + other);
    }));
  }
  const outside = [...document.querySelectorAll('svg')].flatMap(svg => {
    const room = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].filter(t => { const r = t.getBoundingClientRect();
      return r.left < room.left - 1 || r.right > room.right + 1 || r.bottom > room.bottom + 1; })
      .map(t => t.textContent); });
  const found = { overlaps, outside, charts: document.querySelectorAll('svg').length,
    wide: document.documentElement.scrollWidth > innerWidth,
    ink: getComputedStyle(document.body).color, paper: getComputedStyle(document.body).backgroundColor,
    fetched: performance.getEntriesByType('resource').length };
  const out = document.createElement('pre');
  out.id = 'probe'; out.textContent = JSON.stringify(found); document.body.append(out);
});
</script>
"""


def find_browser() -> str | None:
    """Return the path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def probe(page: Path, *, dark: bool = False, width: int = 1280) -> dict:
    """Open a page and return what its drawings look like to the browser."""
    probed = page.with_name(f"probed-{page.name}")
    probed.write_text(page.read_text().replace("</body>", PROBE + "</body>"))
    html = _run(probed, "--dump-dom", dark=dark, width=width)
    found = re.search(r'<pre id="probe">(.*?)</pre>', html, re.DOTALL)
    assert found, "the page's own script ended with an error"
    return json.loads(found[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))


def picture(page: Path, target: Path, *, dark: bool = False, width: int = 1280, height: int = 4200) -> None:
    """Write a picture of a page."""
    _run(page, f"--screenshot={target}", dark=dark, width=width, height=height)


def _run(page: Path, *options: str, dark: bool, width: int, height: int = 2000) -> str:
    browser = find_browser()
    assert browser
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={page.parent / 'browser'}", f"--window-size={width},{height}", *scheme, *options,
        page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout
