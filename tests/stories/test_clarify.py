"""A vague request is asked about in its thread; the author's answer, or the clock, continues it."""

from typing import Any

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults, Hold
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import API, Person
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent

VAGUE = "/edit /1 make it better"
CSS = "Only css/checkout.css"
HTML = "Only checkout.html"


def reply(person: Person, thread_id: int, text: str, parent: int = 1) -> int:
    path = f"pullRequests/{PULL_REQUEST}/threads/{thread_id}/comments"
    body = {"content": text, "parentCommentId": parent, "commentType": 1}
    return int(person.call_repository("POST", path, body)["id"])


def list_questions(agent: Agent, thread_id: int) -> list[str]:
    return [said for said in agent.own_comments(thread_id) if "kind=question" in said]


def wait_question(agent: Agent, thread_id: int, count: int = 1) -> str:
    """Wait for a question, and for the status comment that tells of it."""
    found = wait_questions(agent, thread_id, count)
    wait_until(lambda: "waits for the answer" in agent.own_comments(thread_id)[0])
    return found[-1]


def wait_questions(agent: Agent, thread_id: int, count: int) -> list[str]:
    found: list[str] = wait_until(
        lambda: said if len(said := list_questions(agent, thread_id)) == count else None
    )
    return found


def find_number(agent: Agent, thread_id: int, option: str) -> str:
    """Find the number that an option has in the latest question."""
    lines = list_questions(agent, thread_id)[-1].splitlines()
    return next(line.partition(".")[0] for line in lines if line.endswith(f". {option}"))


def read_intents(agent: Agent) -> list[str]:
    """Read what the drafts were made from, as the pull requests restate it."""
    drafts = agent.person(seed.JAMAL).list_drafts(seed.TOPIC_BRANCH)
    return [draft["description"] for draft in drafts]


def list_actions(agent: Agent) -> list[str]:
    rows = agent.read_rows(
        "SELECT action FROM audit_logs WHERE action LIKE 'clarification%' ORDER BY id"
    )
    return [action for (action,) in rows]


def test_the_number_of_an_option_continues_the_job_with_it(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    question = wait_question(agent, thread_id)
    assert "**What should change, and where?**" in question
    assert "1. The 2 files that this pull request changes\\: " in question
    assert {find_number(agent, thread_id, option) for option in (CSS, HTML)} == {"2", "3"}
    assert "within 5 minutes I go on with option 1" in question
    reply(jamal, thread_id, find_number(agent, thread_id, CSS))
    job = agent.wait_job(thread_id)
    assert job["status"] == "success"
    assert job["intent"] == "make it better"
    assert job["clarification"] == {
        "is_waiting": False,
        "end": "answered",
        "questions": ["What should change, and where?"],
        "reading": CSS,
    }
    status, _, final = agent.own_comments(thread_id)
    assert f"Taken as: {CSS}" in status
    assert f"Taken as: {CSS}" in final
    assert f"Taken as: {CSS}" in read_intents(agent)[0]
    assert "Added a note to css/checkout.css" in job["variants"][0]["note"]
    assert list_actions(agent) == ["clarification_asked", "clarification_answered"]
    calls = agent.azure_devops.organisation.calls.operations
    assert len(calls) <= 12 + 3 * 1 + 2 + 1 + 2, calls
    page = requests.get(
        f"{agent.host.url}/gateway/jobs/{job['id']}", headers={"Accept": "text/html"}, timeout=10
    )
    assert f"Taken as: {CSS}" in page.text
    log = agent.host.log
    assert [log.count(name) for name in ("clarification_asked", "clarification_ended")] == [1, 1]
    assert "make it better" not in log


def test_an_answer_in_free_text_is_what_the_model_is_asked_for(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    wait_question(agent, thread_id)
    reply(jamal, thread_id, "make all buttons red")
    job = agent.wait_job(thread_id)
    assert job["status"] == "success"
    assert "Changed the look of the button" in job["variants"][0]["note"]


def test_a_vague_answer_is_asked_about_once_more(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    assert "Question 1 of at most 3" in wait_question(agent, thread_id)
    reply(jamal, thread_id, "just make it nicer")
    again = wait_question(agent, thread_id, 2)
    assert "I still cannot tell" in again
    assert "Question 2 of at most 3" in again
    reply(jamal, thread_id, f"option {find_number(agent, thread_id, HTML)}, please")
    job = agent.wait_job(thread_id)
    assert job["clarification"]["reading"] == HTML
    assert list_actions(agent) == [*["clarification_asked"] * 2, "clarification_answered"]


def test_after_the_last_round_the_job_goes_on_with_the_likeliest_reading(
    start_agent: StartAgent,
) -> None:
    agent = start_agent(CODE_AGENT_CLARIFY_ROUNDS="2")
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    wait_question(agent, thread_id)
    reply(jamal, thread_id, "x" * 2001)
    assert "at most 2000 characters" in wait_question(agent, thread_id, 2)
    reply(jamal, thread_id, "9")
    job = agent.wait_job(thread_id)
    assert (job["status"], job["clarification"]["end"]) == ("success", "unclear")
    assert "The answers left it open; I took: The 2 files" in agent.own_comments(thread_id)[-1]


def test_without_an_answer_the_job_goes_on_and_says_so(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_CLARIFY_WAIT_S="1", CODE_AGENT_LANGUAGE="de")
    agent.subscribe()
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, "/edit /1 bitte verbessern")
    job = agent.wait_job(thread_id)
    assert job["status"] == "success"
    status, question, final = agent.own_comments(thread_id)
    assert "Was soll sich ändern, und wo?" in question
    said = "Innerhalb von 1 Sekunden hat niemand geantwortet; ich habe das angenommen: Die 2"
    assert said in final
    assert said in status
    assert list_actions(agent) == ["clarification_asked", "clarification_assumed"]


def test_an_answer_that_no_hook_told_of_is_found_when_the_time_is_up(
    start_agent: StartAgent,
) -> None:
    agent = start_agent(CODE_AGENT_CLARIFY_WAIT_S="3")
    subscription = agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    wait_question(agent, thread_id)
    requests.delete(
        f"{agent.azure_devops.organisation_url}/_apis/hooks/subscriptions/{subscription}",
        params=API,
        auth=("", seed.ADMINISTRATOR.pat),
        timeout=10,
    ).raise_for_status()
    reply(jamal, thread_id, find_number(agent, thread_id, CSS))
    assert agent.wait_job(thread_id)["clarification"]["reading"] == CSS


def test_a_hook_that_sends_no_text_passes_answers_on_as_well(start_agent: StartAgent) -> None:
    agent = start_agent()
    agent.subscribe(inputs={"resourceDetailsToSend": "minimal", "messagesToSend": "none"})
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    wait_question(agent, thread_id)
    reply(jamal, thread_id, find_number(agent, thread_id, CSS))
    assert agent.wait_job(thread_id)["clarification"]["reading"] == CSS


def test_only_the_author_answers(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    wait_question(agent, thread_id)
    reply(agent.person(seed.ANNA), thread_id, find_number(agent, thread_id, HTML))
    job_id = agent.list_jobs()[0]["id"]
    wait_until(lambda: count_looks(agent, job_id) == 1)
    assert agent.list_jobs()[0]["clarification"]["is_waiting"]
    reply(jamal, thread_id, find_number(agent, thread_id, CSS))
    assert agent.wait_job(thread_id)["clarification"]["reading"] == CSS
    assert count_looks(agent, job_id) == 2


def count_looks(agent: Agent, job_id: str) -> int:
    """Count how often a job has looked for an answer."""
    status = requests.get(
        f"{agent.host.url}/durabletask/instances/{job_id}",
        params={"showHistory": "true", "showHistoryOutput": "true"},
        timeout=10,
    ).json()
    ended = (e for e in status["historyEvents"] if e["EventType"] == "TaskCompleted")
    return sum(event["FunctionName"] == "read_answer" for event in ended)


def test_a_job_can_be_cancelled_while_it_waits(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    wait_question(agent, thread_id)
    said = agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/status"))
    assert "waits for an answer" in said
    reply(jamal, thread_id, "/cancel")
    job = agent.wait_job(thread_id)
    assert (job["status"], job["clarification"]["end"]) == ("cancelled", "cancelled")
    assert jamal.list_branches("agents/") == []
    assert "**cancelled**" in agent.own_comments(thread_id)[-1]


def test_a_second_job_of_the_thread_does_not_ask_as_well(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    wait_question(agent, thread_id)
    comment_id = reply(jamal, thread_id, "/edit /1 clean up the code")
    wait_until(lambda: "Another job was waiting" in agent.own_comments(thread_id)[-1])
    assert len(list_questions(agent, thread_id)) == 1
    reply(jamal, thread_id, find_number(agent, thread_id, CSS))
    jobs = {job["comment_id"]: job for job in wait_jobs(agent, 2)}
    assert jobs[1]["clarification"]["reading"] == CSS
    assert jobs[comment_id]["clarification"]["end"] == "thread_busy"
    agent.wait_idle()


def wait_jobs(agent: Agent, count: int) -> list[dict[str, Any]]:
    def look() -> list[dict[str, Any]] | None:
        jobs = agent.list_jobs()
        return jobs if len(jobs) == count and all(job["is_final"] for job in jobs) else None

    found: list[dict[str, Any]] = wait_until(look)
    return found


def test_what_was_made_clear_once_is_not_asked_again(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    wait_question(agent, thread_id)
    reply(jamal, thread_id, find_number(agent, thread_id, CSS))
    agent.wait_job(thread_id)
    again = jamal.write_comment(PULL_REQUEST, "/retry 1")
    job = agent.wait_job(again)
    assert job["clarification"]["reading"] == CSS
    assert list_questions(agent, again) == []


@pytest.mark.parametrize("off", ["CODE_AGENT_CLARIFY_WAIT_S", "CODE_AGENT_CLARIFY_ROUNDS"])
def test_nothing_is_asked_where_the_operators_want_no_questions(
    start_agent: StartAgent, off: str
) -> None:
    agent = start_agent(**{off: "0"})
    agent.subscribe()
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, VAGUE)
    assert agent.wait_job(thread_id)["clarification"] is None
    assert list_questions(agent, thread_id) == []


def test_a_question_whose_answer_was_lost_is_asked_once(
    azure_devops: RunningAzureDevOps, agent: Agent
) -> None:
    # status comment, pull request status, question: posted, and the host is killed before it knows
    hold = azure_devops.organisation.hold = Hold(write_number=3, moment="after")
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, VAGUE)
    wait_until(hold.reached.is_set)
    agent.host.kill()
    requests.delete(f"{azure_devops.url}/_standin/hold", timeout=10)
    assert len(list_questions(agent, thread_id)) == 1
    agent.host.start()
    wait_question(agent, thread_id)
    reply(jamal, thread_id, find_number(agent, thread_id, CSS))
    agent.subscribe()
    reply(jamal, thread_id, "Thanks!")
    assert agent.wait_job(thread_id)["clarification"]["reading"] == CSS
    assert len(list_questions(agent, thread_id)) == 1


def test_a_thread_on_a_file_makes_this_clear(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    line = {"line": 1, "offset": 1}
    thread = {
        "comments": [{"content": "/edit /1 fix this", "commentType": 1, "parentCommentId": 0}],
        "status": 1,
        "threadContext": {
            "filePath": "/css/checkout.css",
            "rightFileStart": line,
            "rightFileEnd": line,
        },
    }
    path = f"pullRequests/{PULL_REQUEST}/threads"
    thread_id = int(jamal.call_repository("POST", path, thread)["id"])
    assert agent.wait_job(thread_id)["clarification"] is None


def test_a_question_survives_faults(
    azure_devops: RunningAzureDevOps, start_agent: StartAgent
) -> None:
    agent = start_agent(CODE_AGENT_ADO_TRIES="12")
    agent.subscribe()
    azure_devops.organisation.faults = Faults(
        rate=0.2,
        seed=20261126,
        kinds=(FaultKind.UNAVAILABLE_503, FaultKind.RESET_AFTER),
        retry_after_s=0.02,
        delay_s=0.02,
    )
    jamal = agent.person(seed.JAMAL)
    threads = [jamal.write_comment(PULL_REQUEST, VAGUE) for _ in range(5)]
    for thread_id in threads:
        wait_questions(agent, thread_id, 1)
        reply(jamal, thread_id, find_number(agent, thread_id, CSS))
    readings = {agent.wait_job(thread)["clarification"]["reading"] for thread in threads}
    assert readings == {CSS}
    assert [len(list_questions(agent, thread)) for thread in threads] == [1] * 5
