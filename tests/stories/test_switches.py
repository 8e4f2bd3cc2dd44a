"""What operators turn counts within moments, in a running app; nothing is lost or doubled by it."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from local.azure_devops import seed
from local.model.script import PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from ops.__main__ import main
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent
from tests.stories.minds import Mind, always, create, submit
from tests.stories.test_models import ask, choose_settings

Switch = Callable[..., dict[str, Any]]
EDIT = "/edit /1 make all buttons red"
QUICK = {"CODE_AGENT_SWITCH_TTL_S": "0"}


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Switch:
    def turn(agent: Agent, *words: str, **settings: str) -> dict[str, Any]:
        url = f"sqlite:///{agent.host.folder / 'app' / 'code-agent.db'}"
        monkeypatch.setenv("CODE_AGENT_DATABASE_URL", url)
        monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", agent.azure_devops.organisation_url)
        monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", seed.ADMINISTRATOR.pat)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        assert main(["switch", *words, "--json"]) == 0
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    return turn


def start(start_agent: StartAgent, **settings: str) -> Agent:
    agent = start_agent(**{**QUICK, **settings})
    agent.subscribe()
    agent.list_jobs()  # the first look makes the tables
    return agent


def read_mode(agent: Agent) -> tuple[int, str]:
    answer = requests.get(f"{agent.host.url}/gateway/ready", timeout=10)
    return answer.status_code, answer.json()["mode"]


def read_page(agent: Agent) -> str:
    headers = {"Accept": "text/html"}
    return requests.get(f"{agent.host.url}/gateway/jobs", headers=headers, timeout=10).text


def test_a_paused_app_says_so_and_starts_nothing_until_it_is_resumed(
    start_agent: StartAgent, switch: Switch
) -> None:
    agent = start(start_agent, CODE_AGENT_LANGUAGE="de")
    jamal = agent.person(seed.JAMAL)
    switch(agent, "pause", "--note", "Wartung bis 18 Uhr")
    assert read_mode(agent) == (200, "paused")
    page = read_page(agent)
    assert "Paused by the operators" in page
    assert "Wartung bis 18 Uhr" in page
    refused = agent.wait_answer(jamal.write_comment(PULL_REQUEST, EDIT))
    assert "Meine Betreiber haben mich angehalten" in refused
    assert "Wartung bis 18 Uhr" in refused
    assert "`agent.paused`" in refused
    helped = agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/status"))
    assert "agent.paused" not in helped
    assert agent.list_jobs() == []
    switch(agent, "resume")
    assert agent.wait_job(jamal.write_comment(PULL_REQUEST, EDIT))["status"] == "success"
    assert "Paused" not in read_page(agent)
    turned = agent.read_rows(
        "SELECT actor_id, facts FROM audit_logs WHERE action = 'switch_turned' ORDER BY id"
    )
    assert [(actor, json.loads(facts)) for actor, facts in turned] == [
        (seed.ADMINISTRATOR.id.lower(), {"switch": "mode", "to": "paused"}),
        (seed.ADMINISTRATOR.id.lower(), {"switch": "mode", "to": "default"}),
    ]
    assert agent.host.log.count("switch_changed") == 2


def test_a_read_only_app_writes_nothing_and_goes_on_where_it_was(
    start_agent: StartAgent, switch: Switch, model: ModelStandIn
) -> None:
    agent = start(
        start_agent,
        **choose_settings(
            model, CODE_AGENT_RETRY_FIRST_DELAY_S="0.05", CODE_AGENT_RETRY_MAX_DELAY_S="0.2"
        ),
    )
    calls, jamal = agent.azure_devops.organisation.calls, agent.person(seed.JAMAL)
    written: list[int] = []

    def draft(_: PlainConversation, __: int) -> ScriptedReply:
        if not written:  # in the middle of the first job
            switch(agent, "read-only")
            written.append(calls.writes)
        return submit(create("made.txt", "by the agent\n"))

    model.brain = Mind(draft)
    running = jamal.write_comment(PULL_REQUEST, EDIT)
    wait_until(lambda: agent.host.log.count("ado.read_only") >= 1)
    waiting = jamal.write_comment(PULL_REQUEST, EDIT)
    seen = agent.host.log.count("ado.read_only")
    wait_until(lambda: agent.host.log.count("ado.read_only") >= seen + 8)
    assert read_mode(agent) == (200, "read-only")
    assert written == [calls.writes]
    assert [job["thread_id"] for job in agent.list_jobs()] == [running]
    switch(agent, "resume")
    for thread in (running, waiting):
        assert agent.wait_job(thread)["status"] == "success"
        assert len(agent.own_comments(thread)) == 2  # the status, edited in place, and the result
    assert len(jamal.list_branches("agents/")) == 2
    assert len(jamal.list_drafts(seed.TOPIC_BRANCH)) == 2


def test_a_brake_lets_fewer_jobs_run_at_once(start_agent: StartAgent, switch: Switch) -> None:
    agent = start(start_agent)
    jamal = agent.person(seed.JAMAL)
    switch(agent, "brake", "1")
    assert "At most 1 at once." in read_page(agent)
    threads = [jamal.write_comment(PULL_REQUEST, EDIT) for _ in range(3)]
    jobs = [agent.wait_job(thread) for thread in threads]
    assert [job["status"] for job in jobs] == ["success"] * 3
    spans = sorted((job["started_at"], job["finished_at"]) for job in jobs)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def test_the_models_that_are_asked_can_be_chosen_and_ordered(
    start_agent: StartAgent, switch: Switch, model: ModelStandIn
) -> None:
    model.brain = always(submit(create("made.txt", "by the agent\n")))
    chain = {"CODE_AGENT_PROVIDER": "anthropic,openai"}
    agent = start(start_agent, **choose_settings(model, **chain))
    for chosen, serves in (("openai", {"openai"}), ("anthropic,openai", {"anthropic"})):
        switch(agent, "providers", chosen, **chain, **choose_addresses(model))
        model.calls.clear()
        job = ask(agent, f"/edit /1 create made.txt, {chosen}").job
        assert job["status"] == "success"
        assert {call.wire for call in model.calls.calls} == serves
    switch(agent, "clear", "providers", **chain)
    assert "Models asked" not in read_page(agent)


def choose_addresses(model: ModelStandIn) -> dict[str, str]:
    settings = choose_settings(model)
    return {name: value for name, value in settings.items() if name.endswith("_URL")}
