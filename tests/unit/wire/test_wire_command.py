import json
import os
import signal
import subprocess
import sys
import urllib.request


def test_the_command_serves_a_world_until_it_is_interrupted(socket_enabled):
    command = [sys.executable, "-m", "emr_simulator.wire", "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline().strip() for _ in range(5)]
            variables = dict(line.removeprefix("export ").split("=", 1) for line in lines[:4])
            with urllib.request.urlopen(f"{variables['AWS_ENDPOINT_URL_EMR']}/clock", timeout=5) as answer:
                assert "now" in json.load(answer)
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    assert set(variables) == {
        "AWS_ENDPOINT_URL_EMR",
        "AWS_ENDPOINT_URL_EC2",
        "AWS_ENDPOINT_URL_CLOUDWATCH",
        "AWS_ENDPOINT_URL_PRICING",
    }
    assert lines[4].startswith("# cluster j-")
