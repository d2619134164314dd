"""Runs the local AWS as long as its parent lives; nothing else.

Started by path with the interpreter of the local AWS' own environment, so it imports the standard library
only. Its standard input is a pipe that the parent holds open and never writes to: when the parent ends, in
whatever way, the pipe closes and the whole process group goes, Lambda workers included. No parent can leave
a server behind.
"""

import os
import runpy
import signal
import sys
import threading
import time

_GRACE_SECONDS = 1.0


def _end_group_when_parent_ends() -> None:
    while os.read(0, 1):
        pass
    os.killpg(os.getpgid(0), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def main() -> None:
    """Watch the pipe from a thread and run the module named on the command line."""
    threading.Thread(target=_end_group_when_parent_ends, daemon=True).start()
    module = sys.argv[1]
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
