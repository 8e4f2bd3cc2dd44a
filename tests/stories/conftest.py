from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.azure_devops.running import RunningAzureDevOps
from tests.agent_operations import AGENT_OPERATIONS
from tests.stories.agent import Agent

StartAgent = Callable[..., Agent]


@pytest.fixture
def start_agent(azure_devops: RunningAzureDevOps, tmp_path: Path) -> Iterator[StartAgent]:
    """Start the app with settings of the test's choice; it is stopped at the end."""
    started: list[Agent] = []

    def start(**settings: str) -> Agent:
        agent = Agent.start(azure_devops, tmp_path / f"agent-{len(started)}", settings)
        started.append(agent)
        return agent

    yield start
    for agent in started:
        agent.host.kill()
    done = set(azure_devops.organisation.calls.operations)
    # a story may write a comment under the agent's own account
    allowed = AGENT_OPERATIONS.union({"create thread"}, *(agent.besides for agent in started))
    assert done <= allowed


@pytest.fixture
def agent(start_agent: StartAgent) -> Agent:
    """The app, joined to Azure DevOps by a hook."""
    running = start_agent()
    running.subscribe()
    return running
