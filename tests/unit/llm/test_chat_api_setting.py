"""The setting that names an API reaches the model that is built."""

import pytest

from shared.jobs.models import build_models
from shared.llm.chat.openai_completions import CompletionsChat
from shared.llm.chat.openai_responses import ResponsesChat
from shared.secrets.environment import EnvironmentSecrets
from shared.settings import SettingsError, read_settings

BASE = {
    "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/c",
    "CODE_AGENT_PROVIDER": "openai,azure-openai",
    "CODE_AGENT_AZURE_OPENAI_MODEL": "our-deployment",
    "CODE_AGENT_AZURE_OPENAI_URL": "https://c.openai.azure.com",
}


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        ({}, [ResponsesChat, CompletionsChat]),
        ({"CODE_AGENT_OPENAI_MODEL": "gpt-4.1"}, [CompletionsChat, CompletionsChat]),
        ({"CODE_AGENT_OPENAI_API": "completions"}, [CompletionsChat, CompletionsChat]),
        ({"CODE_AGENT_AZURE_OPENAI_API": "responses"}, [ResponsesChat, ResponsesChat]),
    ],
)
def test_a_setting_chooses_the_api(more: dict[str, str], kinds: list[type]) -> None:
    settings = read_settings(BASE | more)
    built = build_models(settings.models, EnvironmentSecrets({}))
    assert [type(model) for model in built] == kinds


def test_there_is_no_third_api() -> None:
    with pytest.raises(SettingsError, match="CODE_AGENT_OPENAI_API"):
        read_settings(BASE | {"CODE_AGENT_OPENAI_API": "assistants"})
