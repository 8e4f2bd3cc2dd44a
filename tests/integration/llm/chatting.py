"""What the tests ask, and the ways on which they ask it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from local.model.script import Brain, Fault, PlainCall, PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.llm.chat.build import build_chat_model
from shared.llm.chat.sdk_chat import ReadKey, SdkChat
from shared.llm.chat.spec import ChatApi, ChatProvider, ChatSpec
from shared.llm.conversation import ChatRequest, Conversation, Role, Tool, Turn

TOOL = Tool(
    name="submit_edits",
    description="Hand in the edits.",
    schema={
        "type": "object",
        "properties": {"edits": {"type": "string"}},
        "required": ["edits"],
        "additionalProperties": False,
    },
)
SHARED = "The file styles.css holds: button { color: blue; }\n" * 200
"""About 2500 tokens of the stand-in's: enough for a cache."""


@dataclass(frozen=True)
class Door:
    """One way to a model."""

    provider: ChatProvider
    model: str
    path: str = ""
    api_version: str = ""
    has_token: bool = False
    api: ChatApi = ChatApi.AUTO

    def specify(self, base_url: str, **more: Any) -> ChatSpec:
        return ChatSpec(
            self.provider,
            self.model,
            f"{base_url}{self.path}",
            self.api_version,
            api=self.api,
            **more,
        )

    def open(self, server: ModelStandIn, read_key: ReadKey | None = None, **more: Any) -> SdkChat:
        token = server.options.entra_token
        is_free = self.provider is ChatProvider.OLLAMA
        return build_chat_model(
            self.specify(server.base_url, **more),
            read_key=read_key or (lambda: "" if is_free else server.key),
            read_token=(read_key or (lambda: token)) if self.has_token else None,
        )


DOORS = {
    "anthropic": Door(ChatProvider.ANTHROPIC, "claude-sonnet-4-6"),
    "anthropic-thinking": Door(ChatProvider.ANTHROPIC, "claude-opus-5-5"),
    "openai": Door(ChatProvider.OPENAI, "gpt-4.1", "/v1"),
    "openai-responses": Door(ChatProvider.OPENAI, "gpt-4.1", "/v1", api=ChatApi.RESPONSES),
    "openai-always-reasoning": Door(ChatProvider.OPENAI, "gpt-6.1-sol", "/v1"),
    "openai-reasoning": Door(ChatProvider.OPENAI, "gpt-5.6", "/v1"),
    "azure-dated": Door(ChatProvider.AZURE_OPENAI, "blue-4o", "", "2024-10-21"),
    "azure-dated-identity": Door(
        ChatProvider.AZURE_OPENAI, "blue-4o", "", "2024-10-21", has_token=True
    ),
    "azure-v1": Door(ChatProvider.AZURE_OPENAI, "blue-4o", "/openai/v1/"),
    "azure-v1-identity": Door(ChatProvider.AZURE_OPENAI, "blue-4o", has_token=True),
    "azure-v1-responses": Door(ChatProvider.AZURE_OPENAI, "gpt-5.6", "/openai/v1/"),
    "azure-v1-responses-identity": Door(ChatProvider.AZURE_OPENAI, "gpt-5.6", has_token=True),
    "ollama": Door(ChatProvider.OLLAMA, "qwen3:8b", "/ollama/v1"),
    "compatible": Door(ChatProvider.OPENAI_COMPATIBLE, "mistral-small", "/v1"),
}
WIRES = {name: DOORS[name] for name in ("anthropic", "openai", "openai-responses")}


def ask(
    text: str = "Make all buttons red.", *more: Turn, within_s: float = 20, **options: Any
) -> ChatRequest:
    said = Conversation(
        system="You edit files.",
        tools=(TOOL,),
        shared=SHARED,
        turns=(Turn(Role.USER, text), *more),
    )
    request = ChatRequest(
        conversation=said,
        deadline=datetime.now(UTC) + timedelta(seconds=within_s),
        max_output_tokens=1000,
        cache_key="job-1",
    )
    return replace(request, **options)


def say(reply: ScriptedReply) -> Brain:
    """Make a brain that always says the same."""
    return lambda _: reply


def fail(*, text: str = "", **how: Any) -> Brain:
    return say(ScriptedReply(text=text, fault=Fault(**how)))


def submit_then_thank(said: PlainConversation) -> ScriptedReply:
    """Call the tool twice at once, then say what came of it."""
    results = [result for message in said.messages for result in message.results]
    if results:
        return ScriptedReply(text=" | ".join(f"{text}" for _, text, _ in results))
    return ScriptedReply(
        text="Two edits:",
        calls=(
            PlainCall("submit_edits", '{"edits": "/* gr\u00fcn */"}'),
            PlainCall("submit_edits", '{"edits": "' + "x" * 500 + '"}'),
        ),
    )
