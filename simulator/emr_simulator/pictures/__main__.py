"""``make figures``: writes the documents' pictures into a folder; what they show is in the modules beside it."""

import argparse
import json
import sys
from pathlib import Path

from emr_simulator.pictures.burst import burst_picture
from emr_simulator.pictures.frontier import frontier_picture
from emr_simulator.pictures.hold import hold_picture
from emr_simulator.pictures.want import want_picture

PICTURES = {"drain.svg": burst_picture, "hold.svg": hold_picture, "want.svg": want_picture}
"""Those that need nothing but the code."""

FRONTIERS = {"frontier.svg": "", "frontier-long-tasks.svg": ", tasks of 5 to 30 minutes"}
"""Those of a benchmark's results, and what their title says of the work."""


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures; that of a benchmark only where one is named."""
    parser = argparse.ArgumentParser(prog="make figures", description="Write the pictures of the documents.")
    parser.add_argument("folder", type=Path, help="where they are written")
    parser.add_argument("--benchmark", type=Path, help="folder of emr-autoscaler benchmark, for frontier.svg")
    parser.add_argument("--long-tasks", type=Path, help="the same of --long-tasks, for frontier-long-tasks.svg")
    options = parser.parse_args(arguments)
    written = {}
    for (name, work), folder in zip(FRONTIERS.items(), (options.benchmark, options.long_tasks), strict=True):
        if folder is None:
            continue
        source = folder / "benchmark.json"
        try:
            document = json.loads(source.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            print(f"make figures: {source}: {error}", file=sys.stderr)  # noqa: T201 (a command of make)
            return 1
        written[name] = frontier_picture(document, work=work)
    written |= {name: draw() for name, draw in PICTURES.items()}
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (options.folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
