"""The doctor's page in a running app: for whoever may see the pages, and only for them."""

import requests

from local.azure_devops import seed
from tests.stories.conftest import StartAgent


def test_operators_see_what_is_not_well_and_nobody_else_does(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_PAGES="protected", PAGES_KEY="operators-key")
    agent.besides = frozenset({"list repositories", "check permissions"})
    url, key = f"{agent.host.url}/gateway/doctor", {"x-functions-key": "operators-key"}
    assert requests.get(url, timeout=10).status_code == 401
    report = requests.get(url, headers=key, timeout=30).json()
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert report["well"] is False
    assert [name for name, state in states.items() if state == "failed"] == ["hook"]
    assert states["task_hub"] == states["ado_rights"] == states["migrations"] == "ok"
    page = requests.get(url, headers=key | {"Accept": "text/html"}, timeout=30).text
    assert "Something is not well" in page
    assert "no service hook calls the app" in page
    assert seed.CODE_AGENT.pat not in page
