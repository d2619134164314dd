"""Runs tests on DynamoDB Local: starts the engine on a free port, in memory, and ends it with the tests."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

STARTUP_SECONDS = 60


def main(arguments: list[str]) -> int:
    """Run pytest with ``arguments[1:]`` on the engine found in the folder ``arguments[0]``."""
    folder, *pytest_arguments = arguments
    emulator = Path(folder).resolve() / "node_modules/amplify-dynamodb-simulator/emulator"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "java",
        "-jar",
        str(emulator / "DynamoDBLocal.jar"),
        "-inMemory",
        "-disableTelemetry",
        "-port",
        str(port),
    ]
    native = {**os.environ, "LD_LIBRARY_PATH": str(emulator / "DynamoDBLocal_lib")}
    engine = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd=emulator, env=native
    )
    try:
        _wait_for(engine, port)
        environment = {
            **os.environ,
            "EMR_AUTOSCALER_TEST_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "EMR_AUTOSCALER_TEST_ENDPOINT_SERVICES": "dynamodb",
        }
        return subprocess.call([sys.executable, "-m", "pytest", *pytest_arguments], env=environment)
    finally:
        engine.terminate()
        engine.wait(timeout=10)


def _wait_for(engine: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline:
        if engine.poll() is not None:
            sys.exit(f"DynamoDB Local ended with code {engine.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    sys.exit("DynamoDB Local did not start")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
