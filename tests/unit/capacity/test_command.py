"""`python -m ops capacity` as a pipeline meets it."""

import json
from pathlib import Path

import pytest

from ops.__main__ import main

QUICK = ["capacity", "--hours", "0.5", "--model-seconds", "5"]


def test_one_object_and_exit_code_0_where_the_load_is_carried(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    charts = ["--charts", str(tmp_path)]
    assert main([*QUICK, "--jobs-per-hour", "60", "--json", *charts]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["overloaded"] is False
    assert told["job_s"]["p50"] <= told["job_s"]["p95"] <= told["job_s"]["p99"]
    assert {"compute", "model", "storage", "database", "total"} == set(told["cost_usd_month"])
    drawn = [Path(path) for path in told["charts"].values()]
    assert all(path.read_text("utf-8").lstrip().startswith("<?xml") for path in drawn)


def test_exit_code_3_where_work_piles_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--jobs-per-hour", "600", "--job-slots", "2"]) == 3
    told = capsys.readouterr().out
    assert "OVERLOADED" in told
    assert "bottleneck    job slots" in told
    assert "CODE_AGENT_MAX_RUNNING_JOBS" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["--jobs-per-hour", "0"],
        ["--jobs-per-hour", "many"],
        ["--jobs-per-hour", "nan"],
        ["--variants", "11"],
        ["--model-seconds", "-1"],
        ["--threads", "0"],
        ["--plan", "none"],
    ],
)
def test_bad_arguments_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["capacity", *arguments])
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--jobs-per-hour", "1000000", "--hours", "10"], "--hours"),
        (["--instances", "5", "--max-instances", "2"], "--max-instances"),
        (["--prices", "none.json"], "none.json"),
        (["--calibration", "none.json"], "none.json"),
    ],
)
def test_what_cannot_be_simulated_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["capacity", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_wrong_settings_are_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE_AGENT_MAX_RUNNING_JOBS", "none")
    assert main(["capacity"]) == 2
    assert "CODE_AGENT_MAX_RUNNING_JOBS" in capsys.readouterr().err
