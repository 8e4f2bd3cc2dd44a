"""A comment in; branches, draft pull requests, replies and rows out."""

import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.faults import Hold
from local.azure_devops.running import RunningAzureDevOps
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent

RED = "/edit /3 make all buttons red"


def test_a_comment_becomes_three_draft_pull_requests(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, RED)
    job = agent.wait_job(thread_id)
    assert job["status"] == "success"
    branches = jamal.list_branches("agents/")
    assert branches == [f"agents/edit-1-{thread_id}-1/v{k}" for k in (1, 2, 3)]
    drafts = jamal.list_drafts(seed.TOPIC_BRANCH)
    assert {draft["pullRequestId"] for draft in drafts} == {v["pr_id"] for v in job["variants"]}
    status, final = agent.own_comments(thread_id)
    assert "kind=status" in status
    assert "ended: ✅ done" in status
    assert "**3 of 3 variants**" in final
    assert jamal.read_thread(PULL_REQUEST, thread_id)["status"] == "closed"
    assert [s["state"] for s in jamal.list_statuses(PULL_REQUEST)] == ["pending", "succeeded"]
    assert agent.read_rows("SELECT status, count(*) FROM variants GROUP BY 1") == [("success", 3)]
    actions = agent.read_rows("SELECT action, count(*) FROM audit_logs GROUP BY 1 ORDER BY 1")
    assert actions == [
        ("branch_pushed", 3),
        ("job_admitted", 1),
        ("job_concluded", 1),
        ("pull_request_opened", 3),
    ]


def test_a_job_keeps_within_its_calls_to_azure_devops(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    jamal.edit_file(seed.TOPIC_BRANCH, "README.md", "# Storefront\n\nHas a checkout.\n")
    thread_id = jamal.write_comment(PULL_REQUEST, "/edit /5 make buttons red")
    agent.wait_job(thread_id)
    calls = agent.azure_devops.organisation.calls.operations
    assert len(calls) <= 12 + 3 * 5, calls
    assert calls.count("get file diffs") == calls.count("get items") == 1
    assert "get connection data" not in calls


def test_what_is_not_edited_keeps_its_bytes_and_modes(agent: Agent, tmp_path: Path) -> None:
    jamal = agent.person(seed.JAMAL)
    wish = "/edit /1 append the line `Third line.` to docs/windows.txt"
    job = agent.wait_job(jamal.write_comment(PULL_REQUEST, wish))
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "-c", "core.autocrlf=false", jamal.git_url(), clone], check=True
    )
    branch = job["variants"][0]["branch"]
    show = [
        "git",
        "-C",
        str(clone),
        "diff",
        "--raw",
        f"origin/{seed.TOPIC_BRANCH}",
        f"origin/{branch}",
    ]
    raw = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    assert [line.split("\t")[1] for line in raw.splitlines()] == ["docs/windows.txt"]
    content = ["git", "-C", str(clone), "show", f"origin/{branch}:docs/windows.txt"]
    assert subprocess.run(content, capture_output=True, check=True).stdout == (
        b"One line.\r\nAnother line.\r\nThird line.\r\n"
    )


def test_the_same_comment_delivered_twenty_times_starts_one_job(agent: Agent) -> None:
    second = agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red")
    project = jamal.call("GET", f"_apis/projects/{seed.PROJECT}")["id"]
    repository = jamal.call_repository("GET", "")["id"]
    body = build_delivery(project, repository, thread_id, "/edit /1 make all buttons red")
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(agent.deliver(body).status_code))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 202}
    job = agent.wait_job(thread_id)
    assert agent.deliver(body).json()["status"] == "duplicate"
    wait_until(lambda: agent.person(seed.ADMINISTRATOR).list_deliveries(second))
    assert [one["id"] for one in agent.list_jobs()] == [job["id"]]
    assert len(agent.own_comments(thread_id)) == 2
    assert len(jamal.list_drafts(seed.TOPIC_BRANCH)) == 1


def build_delivery(project: str, repository: str, thread_id: int, content: str) -> dict[str, Any]:
    base = f"https://dev.azure.com/contoso/_apis/git/repositories/{repository}"
    links = {"self": {"href": f"{base}/pullRequests/1/threads/{thread_id}/comments/1"}}
    return {
        "eventType": "ms.vss-code.git-pullrequest-comment-event",
        "resource": {
            "comment": {"id": 1, "content": content, "commentType": "text", "_links": links},
            "pullRequest": {
                "pullRequestId": 1,
                "repository": {"id": repository, "project": {"id": project}},
            },
        },
    }


@pytest.mark.parametrize(
    "subscription",
    [
        {"resourceVersion": "1.0"},
        {"inputs": {"resourceDetailsToSend": "minimal", "messagesToSend": "none"}},
        {"inputs": {"basicAuthPassword": "", "httpHeaders": "X-Code-Agent-Secret:story-secret"}},
    ],
    ids=["version-1.0", "minimal", "header"],
)
def test_every_kind_of_subscription_starts_the_job(
    start_agent: StartAgent, subscription: dict[str, Any]
) -> None:
    agent = start_agent()
    agent.subscribe(**subscription)
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, "/edit /1 make buttons red")
    assert agent.wait_job(thread_id)["status"] == "success"


def test_names_with_blanks_umlauts_and_signs_are_no_obstacle(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    body = {"comments": [{"content": "/edit /2 make all buttons red"}], "status": "active"}
    found = jamal.call("GET", "_apis/git/repositories")["value"]
    repository = next(one for one in found if one["name"] == seed.HARD_REPOSITORY)["id"]
    number = seed.HARD_PULL_REQUEST_ID
    path = f"_apis/git/repositories/{repository}/pullRequests/{number}/threads"
    job = agent.wait_job(jamal.call("POST", path, body)["id"])
    assert job["status"] == "success"
    assert "B%C3%BCro%20%26%20L%C3%A4den%20%231%20100%25" in job["variants"][0]["pr_url"]


def test_an_edit_that_turns_talk_into_a_command_starts_it(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, "/edit")
    assert "command.intent_missing" in agent.wait_answer(thread_id)
    agent.wait_idle()
    path = f"pullRequests/{PULL_REQUEST}/threads/{thread_id}/comments/1"
    jamal.call_repository("PATCH", path, {"content": "/edit /1 make all buttons red"})
    job = agent.wait_job(thread_id)
    assert job["status"] == "success"
    jamal.call_repository("PATCH", path, {"content": "/edit /1 make all buttons blue"})
    agent.wait_idle()
    assert len(agent.list_jobs()) == 1


def test_a_variant_whose_branch_is_taken_fails_alone(
    azure_devops: RunningAzureDevOps, agent: Agent
) -> None:
    jamal = agent.person(seed.JAMAL)
    counter = azure_devops.organisation.records.get("counter", "thread") or {"value": 0}
    next_thread = counter["value"] + 1
    main = jamal.call_repository("GET", "refs", filter="heads/main")["value"][0]["objectId"]
    taken = {
        "name": f"refs/heads/agents/edit-1-{next_thread}-1/v2",
        "oldObjectId": "0" * 40,
        "newObjectId": main,
    }
    assert jamal.call_repository("POST", "refs", [taken])["value"][0]["success"]
    thread_id = jamal.write_comment(PULL_REQUEST, RED)
    assert thread_id == next_thread
    job = agent.wait_job(thread_id)
    assert job["status"] == "partial_success"
    assert [v["status"] for v in job["variants"]] == ["success", "failed", "success"]
    assert job["variants"][1]["error_code"] == "ado.branch_exists"
    final = agent.own_comments(thread_id)[-1]
    assert "**2 of 3 variants**" in final
    assert "Variant 2: ❌ failed" in final


def test_a_request_that_cannot_be_carried_out_says_why(agent: Agent) -> None:
    wish = "/edit /2 replace `nowhere` with `x` in README.md"
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, wish)
    job = agent.wait_job(thread_id)
    assert job["status"] == "failed"
    assert {v["verdict"] for v in job["variants"]} == {"user"}
    final = agent.own_comments(thread_id)[-1]
    assert "No variant could be made" in final
    thread = agent.person(seed.JAMAL).read_thread(PULL_REQUEST, thread_id)
    assert thread["status"] == "active"


def test_equal_results_are_folded_into_one(agent: Agent) -> None:
    wish = "/edit /3 replace `Add to cart` with `Buy` in index.html"
    job = agent.wait_job(agent.person(seed.JAMAL).write_comment(PULL_REQUEST, wish))
    assert sorted(v["status"] for v in job["variants"]) == ["duplicate", "duplicate", "success"]
    assert job["status"] == "success"
    assert len(agent.person(seed.JAMAL).list_drafts(seed.TOPIC_BRANCH)) == 1


def test_comments_come_in_german_when_that_is_set(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_LANGUAGE="de")
    agent.subscribe()
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, "/edit /1 make buttons red")
    agent.wait_job(thread_id)
    assert "als Entwurf in Ihren Branch" in agent.own_comments(thread_id)[-1]


def test_a_variant_that_runs_out_of_time_pushes_nothing(
    azure_devops: RunningAzureDevOps, start_agent: StartAgent
) -> None:
    agent = start_agent(CODE_AGENT_VARIANT_TIMEOUT_S="5")
    agent.subscribe()
    # comment, status, then the push, which never gets an answer
    azure_devops.organisation.hold = Hold(write_number=3, moment="before")
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, "/edit /1 make buttons red")
    job = agent.wait_job(thread_id)
    assert job["variants"][0]["status"] == "timeout"
    assert job["variants"][0]["error_code"] == "job.out_of_time"
    assert agent.person(seed.JAMAL).list_branches("agents/") == []
    assert "⌛ out of time" in agent.own_comments(thread_id)[0]
