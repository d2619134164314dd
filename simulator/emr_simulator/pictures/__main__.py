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


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures; that of a benchmark only where one is named."""
    parser = argparse.ArgumentParser(prog="make figures", description="Write the pictures of the documents.")
    parser.add_argument("folder", type=Path, help="where they are written")
    parser.add_argument("--benchmark", type=Path, help="folder of emr-autoscaler benchmark, for frontier.svg")
    options = parser.parse_args(arguments)
    written = {}
    if options.benchmark is not None:
        source = options.benchmark / "benchmark.json"
        try:
            document = json.loads(source.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            print(f"make figures: {source}: {error}", file=sys.stderr)  # noqa: T201 (a command of make)
            return 1
        written["frontier.svg"] = frontier_picture(document)
    written |= {name: draw() for name, draw in PICTURES.items()}
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (options.folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
