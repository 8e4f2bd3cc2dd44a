"""The stand-in's blocks of changed lines: what they say, and what is refused."""

from typing import Any

import pytest

from local.azure_devops.file_diffs import list_blocks
from local.azure_devops.running import RunningAzureDevOps
from tests.local.azure_devops.client import Client, change

PREVIEW = {"api-version": "7.1-preview.1"}


def ask(client: Client, base: str, target: str, *params: Any) -> Any:
    body = {
        "baseVersionCommit": base,
        "targetVersionCommit": target,
        "fileDiffParams": list(params),
    }
    return client.git("POST", "filediffs", body, **PREVIEW)


def test_edited_deleted_added_and_binary_files(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops)
    added = [
        change("add", "/a.txt", "1\n2\n3\n4\n"),
        change("add", "/gone.txt", "x\n"),
        change("add", "/b.xyz", "\0"),
    ]
    client.push("main", client.tip(), *added)
    base = client.tip()
    edited = [
        change("edit", "/a.txt", "1\ntwo\n3\n"),
        change("delete", "/gone.txt"),
        change("edit", "/b.xyz", "\0\0"),
        change("add", "/new.txt", "n"),
    ]
    client.push("main", base, *edited)
    answer = ask(
        client,
        base,
        client.tip(),
        {"path": "/a.txt", "originalPath": "/a.txt"},
        {"originalPath": "/gone.txt"},
        {"path": "/b.xyz", "originalPath": "/b.xyz"},
        {"path": "/new.txt", "originalPath": None},
    ).json()
    assert answer["count"] == 4
    a, gone, binary, new = answer["value"]
    assert [block["changeType"] for block in a["lineDiffBlocks"]] == [
        *("none", "edit", "none", "delete")
    ]
    assert a["lineDiffBlocks"][1] == {
        "changeType": "edit",
        "originalLineNumberStart": 2,
        "originalLinesCount": 1,
        "modifiedLineNumberStart": 2,
        "modifiedLinesCount": 1,
    }
    assert "path" not in gone
    assert gone["lineDiffBlocks"][0]["changeType"] == "delete"
    assert binary == {"path": "/b.xyz"}
    assert [block["changeType"] for block in new["lineDiffBlocks"]] == ["add"]


def replay(old: bytes, new: bytes) -> bytes:
    """Make the new file of the old one and of the lines that blocks say are changed."""
    lines, others = old.split(b"\n"), new.split(b"\n")
    made: list[bytes] = []
    for block in list_blocks(old, new):
        same = block["changeType"] == "none"
        source, side = (lines, "original") if same else (others, "modified")
        start = block[f"{side}LineNumberStart"] - 1
        made += source[start : start + block[f"{side}LinesCount"]]
    return b"\n".join(made)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", b"1\n2"),
        (b"1\n2", b""),
        (b"1\n2\n3", b"0\n1\n2\n3"),
        (b"1\n2\n3\n4\n5", b"1\n3\n4\nx\ny\n5\n6"),
        (b"1\n2\n3", b"3"),
        (b"1\n2\n3\n3", b"1\n2\n3\n3"),
        (b"a\r\nb\r\n\r\nc", b"a\r\nc"),
    ],
)
def test_blocks_cover_both_files(old: bytes, new: bytes) -> None:
    assert replay(old, new) == new


def test_what_is_refused(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops)
    tip = client.tip()
    readme = {"path": "/README.md", "originalPath": "/README.md"}
    for params, base, status in (
        ([], tip, 400),
        ([readme] * 11, tip, 400),
        ([{}], tip, 400),
        (["/README.md"], tip, 400),
        ([readme], "9" * 40, 404),
        ([readme], "", 404),
        ([{"path": "/README.md", "originalPath": "/nowhere"}], tip, 404),
        ([readme] * 10, tip, 200),
    ):
        assert ask(client, base, tip, *params).status_code == status
    plain = client.git("POST", "filediffs", {"fileDiffParams": [readme]})
    assert plain.json()["typeKey"] == "VssInvalidPreviewVersionException"
    answers = [client.git("GET", "refs"), client.git("GET", "items", path="/nowhere")]
    told = {answer.headers["X-VSS-UserData"] for answer in answers}
    assert told == {f"{client.user.id}:{client.user.address}"}
