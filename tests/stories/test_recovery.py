"""What a service hook has not told of is found by reading, and nothing is done twice."""

from contextlib import suppress
from sqlite3 import OperationalError

from local.azure_devops import seed
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent


def read_turns(agent: Agent) -> list[tuple[str, str]]:
    return agent.read_rows("SELECT state, holder FROM turns")


def run_timer(agent: Agent) -> None:
    """Run the timer once, to the end of its sweep."""

    def list_states() -> list[str]:
        return [state for state, holder in read_turns(agent) if not holder and state != "{}"]

    before = list_states() if (agent.host.folder / "app" / "code-agent.db").exists() else []
    agent.run_timer("watch_hooks")

    def has_swept() -> bool:
        with suppress(OperationalError):  # the tables are being made
            return bool(now := list_states()) and now != before
        return False

    wait_until(has_swept, 30)


def switch_hook(agent: Agent, hook: str, status: str) -> None:
    admin = agent.person(seed.ADMINISTRATOR)
    path = f"_apis/hooks/subscriptions/{hook}"
    admin.call("PUT", path, {**admin.call("GET", path), "status": status})


def test_a_hook_that_was_disabled_loses_no_command(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_RECOVERY_PLACES=f"{seed.PROJECT}, {seed.HARD_PROJECT}")
    hook = agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    heard = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red")
    agent.wait_job(heard)
    run_timer(agent)
    switch_hook(agent, hook, "disabledBySystem")
    missed = [
        jamal.write_comment(PULL_REQUEST, f"/edit /1 make all buttons {colour}")
        for colour in ("green", "blue")
    ]
    wish = jamal.write_comment(PULL_REQUEST, "/help")
    talk = jamal.write_comment(PULL_REQUEST, "what a nice colour")
    stranger = agent.person(seed.STRANGER).write_comment(PULL_REQUEST, "/edit /1 all buttons pink")
    assert agent.find_job(missed[0]) is None
    run_timer(agent)
    for thread in missed:
        assert agent.wait_job(thread)["status"] == "success"
    agent.wait_answer(wish)
    agent.wait_answer(stranger)
    agent.wait_idle()
    run_timer(agent)
    switch_hook(agent, hook, "enabled")
    later = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons grey")
    assert agent.wait_job(later)["status"] == "success"
    run_timer(agent)
    agent.wait_idle()
    started = [one for one in agent.list_instances() if one["name"] == "edit_job"]
    assert len(started) == 6  # the talk started nothing
    assert len(agent.list_jobs()) == 4
    drafts = jamal.list_drafts(seed.TOPIC_BRANCH)
    assert len(drafts) == 4
    assert [len(agent.own_comments(one)) for one in (*missed, wish, stranger, talk)] == [
        *(2, 2, 1, 1, 0)
    ]
    [refused] = agent.read_rows("SELECT count(*) FROM audit_logs WHERE action = 'job_rejected'")
    assert refused == (1,)
