import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_a_world_until_it_is_stopped_also_in_the_background(socket_enabled, stop):
    # A shell lets what it starts in the background ignore interrupts.
    command = ["sh", "-c", 'trap "" INT; exec "$0" -m emr_simulator.wire --seed 7', sys.executable]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline().strip() for _ in range(5)]
            variables = dict(line.removeprefix("export ").split("=", 1) for line in lines[:4])
            with urllib.request.urlopen(f"{variables['AWS_ENDPOINT_URL_EMR']}/clock", timeout=60) as answer:
                assert "now" in json.load(answer)
            process.send_signal(stop)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
    assert set(variables) == {
        "AWS_ENDPOINT_URL_EMR",
        "AWS_ENDPOINT_URL_EC2",
        "AWS_ENDPOINT_URL_CLOUDWATCH",
        "AWS_ENDPOINT_URL_PRICING",
    }
    assert lines[4].startswith("# cluster j-")
