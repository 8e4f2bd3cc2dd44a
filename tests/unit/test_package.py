import json
import zipfile
from pathlib import Path

import pytest

from ops.__main__ import main
from ops.package import LIBRARIES, ROOT


def test_the_package_is_the_same_each_time_and_holds_the_app_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for name in ("a.zip", "b.zip"):
        assert main(["package", str(tmp_path / name), "--without-libraries", "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0]["sha256"] == told[1]["sha256"]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
    assert {"function_app.py", "host.json", "requirements.txt"} <= set(names)
    folders = {name.split("/")[0] for name in names if "/" in name}
    assert folders == {"activities", "orchestrators", "shared"}


def test_a_package_without_its_libraries_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if (ROOT / LIBRARIES).exists():
        pytest.skip("somebody has built a package here")
    assert main(["package", str(tmp_path / "a.zip")]) == 3
    assert ".python_packages" in capsys.readouterr().err
    assert not (tmp_path / "a.zip").exists()


def test_a_package_goes_into_a_folder_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["package", str(tmp_path / "none" / "a.zip"), "--without-libraries"]
    assert main(words) == 2
    assert "There is no folder" in capsys.readouterr().err
