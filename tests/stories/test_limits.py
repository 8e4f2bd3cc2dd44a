"""Limits on how much is taken: said once, in the thread, and nothing is lost by it."""

import time

from local.azure_devops import seed
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent


def count_refusals(agent: Agent) -> int:
    return len(agent.read_rows("SELECT 1 FROM security_events WHERE kind = 'rate_limit_exceeded'"))


def test_a_person_over_the_limit_is_told_once_and_may_ask_again_later(
    start_agent: StartAgent,
) -> None:
    agent = start_agent(CODE_AGENT_LIMIT_USER_JOBS="1", CODE_AGENT_LIMIT_USER_WINDOW_S="4")
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    agent.wait_job(jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red"))
    began = time.monotonic()
    second = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons blue")
    said = agent.wait_answer(second)
    assert "limit.user_jobs" in said
    assert "There is room again at" in said
    third = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons green")
    wait_until(lambda: count_refusals(agent) == 2)
    agent.wait_idle()
    assert agent.host.log.count("rate_limit_exceeded") == 2
    assert agent.own_comments(third) == []
    assert len(agent.list_jobs()) == 1
    wait_until(lambda: time.monotonic() - began > 4)
    again = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons blue")
    assert agent.wait_job(again)["status"] == "success"


def test_a_repository_has_a_limit_that_all_its_people_share(start_agent: StartAgent) -> None:
    agent = start_agent(
        CODE_AGENT_LIMIT_REPOSITORY_VARIANTS="3",
        CODE_AGENT_LANGUAGE="de",
        CODE_AGENT_ALLOWED_USERS=seed.ADMINISTRATOR.id,
    )
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    said = agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/edit /4 make all buttons red"))
    assert "Verlangen Sie weniger auf einmal" in said
    agent.wait_job(jamal.write_comment(PULL_REQUEST, "/edit /2 make all buttons red"))
    other = agent.person(seed.ADMINISTRATOR)
    said = agent.wait_answer(other.write_comment(PULL_REQUEST, "/edit /2 make all buttons blue"))
    assert "3 Varianten in der Stunde" in said
