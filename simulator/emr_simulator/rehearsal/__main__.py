"""python -m emr_simulator.rehearsal; the command line is command.py's."""

import sys

from emr_simulator.rehearsal.command import main

if __name__ == "__main__":
    sys.exit(main())
