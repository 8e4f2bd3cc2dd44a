"""Real git behind REST: what is pushed by one way is there by the other."""

import base64
import io
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps, run_in_thread
from local.azure_devops.server import ServerOptions
from local.demo.person import Person
from tests.local.azure_devops.client import ZERO, Client, change


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def clone(azure_devops: RunningAzureDevOps, folder: Path, user: seed.SeededUser) -> Path:
    url = Person(azure_devops.organisation_url, user.pat).git_url()
    done = git(folder, "clone", "-q", url, "clone")
    assert done.returncode == 0, done.stderr
    return folder / "clone"


def test_one_push_adds_edits_renames_deletes_and_keeps_modes(
    azure_devops: RunningAzureDevOps, tmp_path: Path
) -> None:
    client = Client(azure_devops)
    encoded = base64.b64encode(b"\xef\xbb\xbfa\r\nb").decode()
    content = {"content": encoded, "contentType": "base64encoded"}
    answer = client.push(
        "topic",
        ZERO,
        {**change("add", "/dir/\u00fc.txt"), "newContent": content},
        change("edit", "/tools/serve.sh", "#!/bin/sh\n"),
        change("rename", "/js/basket.js", sourceServerItem="/js/cart.js"),
        change("edit", "/js/basket.js", "new\n"),
        change("delete", "/img/dot.png"),
        parents=[client.tip()],
    )
    assert answer.status_code == 201
    pushed = answer.json()["commits"][0]
    assert pushed["parents"] == [client.tip()]
    folder = clone(azure_devops, tmp_path, seed.JAMAL)
    raw = git(
        folder, "-c", "core.quotePath=off", "diff", "--raw", "-M01", "origin/main", "origin/topic"
    ).stdout
    rows = {line.split("\t", 1)[1]: line.split()[1] for line in raw.splitlines()}
    assert rows["tools/serve.sh"] == "100755"
    assert {"dir/\u00fc.txt", "img/dot.png"} <= set(rows)
    shown = subprocess.run(
        ["git", "show", "origin/topic:dir/\u00fc.txt"], cwd=folder, capture_output=True, check=True
    )
    assert shown.stdout == b"\xef\xbb\xbfa\r\nb"


def test_a_new_branch_can_begin_at_another_ones_tip(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops)
    tip = client.tip()
    pushed = client.push("from-tip", tip, change("add", "/a", "x")).json()
    assert pushed["commits"][0]["parents"] == [tip]


def test_git_pushes_and_the_pull_request_gets_an_iteration(
    azure_devops: RunningAzureDevOps, tmp_path: Path
) -> None:
    folder = clone(azure_devops, tmp_path, seed.JAMAL)
    git(folder, "checkout", "-q", seed.TOPIC_BRANCH)
    (folder / "new.txt").write_text("new\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "more")
    assert git(folder, "push", "-q").returncode == 0
    client = Client(azure_devops)
    iterations = client.git("GET", "pullRequests/1/iterations").json()["value"]
    assert len(iterations) == 2
    entries = client.git("GET", "pullRequests/1/iterations/2/changes").json()["changeEntries"]
    assert "/new.txt" in {entry["item"]["path"] for entry in entries}
    head = client.git("GET", "pullRequests/1").json()["lastMergeSourceCommit"]["commitId"]
    assert head == client.tip(seed.TOPIC_BRANCH)


def test_git_is_held_to_permissions(azure_devops: RunningAzureDevOps, tmp_path: Path) -> None:
    folder = clone(azure_devops, tmp_path, seed.READER)
    (folder / "new.txt").write_text("new\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "more")
    assert git(folder, "push", "-q").returncode != 0
    jamal = Person(azure_devops.organisation_url, seed.JAMAL.pat).git_url()
    git(folder, "remote", "set-url", "origin", jamal)
    assert git(folder, "push", "-q", "origin", "HEAD:refs/heads/fresh").returncode == 0
    git(folder, "commit", "-q", "--amend", "-m", "other")
    assert git(folder, "push", "-qf", "origin", "HEAD:refs/heads/fresh").returncode != 0


def test_items_come_as_content_metadata_and_archive(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops)
    item = client.git("GET", "items", path="/README.md", includeContent="true").json()
    assert item["content"].startswith("# Storefront")
    raw = client.git("GET", "items", path="/docs/windows.txt", **{"$format": "octetStream"})
    assert raw.content == b"One line.\r\nAnother line.\r\n"
    listed = client.git("GET", "items", scopePath="/", recursionLevel="full").json()
    assert "/css/site.css" in {one["path"] for one in listed["value"]}
    version = {"versionDescriptor.version": client.tip(), "versionDescriptor.versionType": "commit"}
    packed = client.git("GET", "items", path="/", **{"$format": "zip"}, **version)
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.read("docs/unfinished.txt") == b"The last line has no end"
        assert archive.getinfo("tools/serve.sh").external_attr >> 16 == 0o100755


def test_diffs_and_commits_tell_what_changed(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops)
    query = {
        "baseVersion": "main",
        "targetVersion": seed.TOPIC_BRANCH,
        "diffCommonCommit": "true",
    }
    diff = client.git("GET", "diffs/commits", **query).json()
    assert {change["item"]["path"] for change in diff["changes"]} == {
        "/checkout.html",
        "/css/checkout.css",
    }
    assert (diff["aheadCount"], diff["behindCount"]) == (1, 0)
    commits = client.git("GET", "commits").json()["value"]
    assert commits[0]["comment"] == "Open the shop"


def test_completing_merges_only_what_was_seen(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops, seed.ADMINISTRATOR)
    stale = {"status": "completed", "lastMergeSourceCommit": {"commitId": "9" * 40}}
    assert client.git("PATCH", "pullRequests/1", stale).status_code == 409
    seen = {"commitId": client.tip(seed.TOPIC_BRANCH)}
    done = client.git(
        "PATCH", "pullRequests/1", {"status": "completed", "lastMergeSourceCommit": seen}
    )
    assert done.json()["status"] == "completed"
    commit = client.git("GET", f"commits/{client.tip()}").json()
    assert commit["comment"] == "Merged PR 1: Checkout page"
    assert client.git("PATCH", "pullRequests/1", {"status": "active"}).status_code == 409


@pytest.mark.parametrize("project", [seed.HARD_PROJECT, None])
def test_hard_names_work_by_name_and_by_id(
    azure_devops: RunningAzureDevOps, project: str | None
) -> None:
    client = Client(azure_devops)
    name = quote(seed.HARD_REPOSITORY, safe="")
    if project is None:
        listed = client.call("GET", "_apis/git/repositories").json()["value"]
        key = next(one["id"] for one in listed if one["name"] == seed.HARD_REPOSITORY)
        found = client.call("GET", f"_apis/git/repositories/{key}")
    else:
        found = client.call("GET", f"{quote(project, safe='')}/_apis/git/repositories/{name}")
    assert found.json()["name"] == seed.HARD_REPOSITORY


def test_a_restart_finds_everything(tmp_path: Path) -> None:
    options = ServerOptions(tmp_path / "kept")
    with run_in_thread(options) as running:
        client = Client(running)
        thread = client.git(
            "POST", "pullRequests/1/threads", {"comments": [{"content": "kept"}], "status": 1}
        ).json()
        tip = client.tip()
    with run_in_thread(options) as running:
        again = Client(running)
        found = again.git("GET", f"pullRequests/1/threads/{thread['id']}").json()
        assert found["comments"][0]["content"] == "kept"
        assert again.tip() == tip


def test_pushes_tell_who_moved_a_ref_by_whatever_way(
    azure_devops: RunningAzureDevOps, tmp_path: Path
) -> None:
    agent = Client(azure_devops, seed.CODE_AGENT)
    first = agent.push("topic", ZERO, change("add", "/a", "x"), parents=[agent.tip()]).json()
    tip = first["refUpdates"][0]["newObjectId"]
    folder = clone(azure_devops, tmp_path, seed.JAMAL)
    git(folder, "checkout", "-q", "topic")
    git(folder, "commit", "-q", "--allow-empty", "-m", "more")
    assert git(folder, "push", "-q", "origin", "topic", "HEAD:refs/heads/twin").returncode == 0
    pushed = Client(azure_devops).tip("topic")
    deletion = {"name": "refs/heads/topic", "oldObjectId": pushed, "newObjectId": ZERO}
    administrator = Client(azure_devops, seed.ADMINISTRATOR)
    assert administrator.git("POST", "refs", [deletion]).json()["value"][0]["success"]
    query = {
        "searchCriteria.refName": "refs/heads/topic",
        "searchCriteria.includeRefUpdates": "true",
    }
    listed = agent.git("GET", "pushes", **query).json()
    told = [
        (one["pushedBy"]["uniqueName"], [tuple(ref.values())[1:] for ref in one["refUpdates"]])
        for one in listed["value"]
    ]
    topic, twin = "refs/heads/topic", "refs/heads/twin"
    assert told == [
        (seed.ADMINISTRATOR.address, [(topic, pushed, ZERO)]),
        (seed.JAMAL.address, [(topic, tip, pushed), (twin, ZERO, pushed)]),
        (seed.CODE_AGENT.address, [(topic, ZERO, tip)]),
    ]
    assert listed["value"][-1] == {key: first[key] for key in listed["value"][-1]}
    [shown] = agent.git("GET", "pushes", **query, **{"$skip": "1", "$top": "1"}).json()["value"]
    assert shown["pushId"] == first["pushId"] + 1
    own = {"searchCriteria.pusherId": seed.CODE_AGENT.id, "searchCriteria.toDate": first["date"]}
    [shown] = agent.git("GET", "pushes", **own).json()["value"]
    assert (shown["pushId"], "refUpdates" in shown) == (first["pushId"], False)
    late = {"searchCriteria.fromDate": "2100-01-01T00:00:00Z"}
    assert agent.git("GET", "pushes", **late).json() == {"count": 0, "value": []}
    assert agent.git("GET", "pushes", **{"searchCriteria.toDate": "soon"}).status_code == 400
