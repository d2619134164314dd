"""Wrong usage ends with 2 before anything is started."""

import pytest

from emr_simulator.rehearsal.command import WRONG_USAGE, main


def ends_with(capsys, *arguments):
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr().err


def test_an_unknown_option_is_named(capsys):
    code, told = ends_with(capsys, "--speed", "9")
    assert code == WRONG_USAGE
    assert "--speed" in told


@pytest.mark.parametrize("hours", ["0", "-1", "25", "many", "nan", "2", "3.5"])
def test_hours_that_cannot_be_played_are_named(capsys, hours):
    code, told = ends_with(capsys, f"--hours={hours}")
    assert code == WRONG_USAGE
    assert "--hours" in told


def test_options_are_never_guessed_from_their_beginning(capsys):
    assert ends_with(capsys, "--hour", "6")[0] == WRONG_USAGE


def test_a_trace_with_a_bad_line_names_file_line_and_field(capsys, tmp_path):
    trace = tmp_path / "bad.tsv"
    trace.write_text("job0\t0\t0\t1\t1\t1\njob1\t5\t5\tmuch\t1\t1\n")
    code, told = ends_with(capsys, "--trace", str(trace))
    assert code == WRONG_USAGE
    assert told == f"{trace}:2: map input bytes: a whole number of at least 0 expected, 'much' found\n"


def test_a_trace_that_is_not_there_is_named(capsys, tmp_path):
    code, told = ends_with(capsys, "--trace", str(tmp_path / "none.tsv"))
    assert code == WRONG_USAGE
    assert told == f"{tmp_path / 'none.tsv'}: No such file or directory\n"


def test_an_empty_trace_is_refused(capsys, tmp_path):
    trace = tmp_path / "empty.tsv"
    trace.write_text("")
    code, told = ends_with(capsys, "--trace", str(trace))
    assert code == WRONG_USAGE
    assert "no job" in told
