"""Calls of the tests over plain HTTP, as somebody without an SDK would make them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from local.model.server import ModelStandIn

ASKED = {"role": "user", "content": "Make it red."}
SCHEMA = {
    "type": "object",
    "properties": {"edits": {"type": "string"}},
    "required": ["edits"],
    "additionalProperties": False,
}
CLAUDE_TOOL = {"name": "submit_edits", "description": "d", "input_schema": SCHEMA}
GPT_TOOL = {"type": "function", "function": {"name": "submit_edits", "parameters": SCHEMA}}
RESPONSES_TOOL = {"type": "function", "name": "submit_edits", "parameters": SCHEMA, "strict": True}
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Client:
    """Somebody who calls the stand-in."""

    model: ModelStandIn

    def ask_claude(self, changes: Mapping[str, Any] = NOTHING, **more: Any) -> requests.Response:
        body = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": [ASKED], **changes}
        headers = {"x-api-key": self.model.key, "anthropic-version": "2023-06-01"}
        return self.post("/v1/messages", drop_none(body), {"headers": headers, **more})

    def ask_gpt(
        self, changes: Mapping[str, Any] = NOTHING, path: str = "/v1/chat/completions", **more: Any
    ) -> requests.Response:
        body = {"model": "gpt-4.1", "messages": [ASKED], **changes}
        headers = {"Authorization": f"Bearer {self.model.key}"}
        return self.post(path, drop_none(body), {"headers": headers, **more})

    def ask_responses(
        self, changes: Mapping[str, Any] = NOTHING, path: str = "/v1/responses", **more: Any
    ) -> requests.Response:
        body = {"model": "gpt-5.6", "input": [ASKED], **changes}
        headers = {"Authorization": f"Bearer {self.model.key}"}
        return self.post(path, drop_none(body), {"headers": headers, **more})

    def post(
        self, path: str, body: Mapping[str, Any], options: Mapping[str, Any]
    ) -> requests.Response:
        return requests.post(f"{self.model.base_url}{path}", json=body, timeout=10, **options)

    def control(self, method: str, name: str, body: Any = None) -> requests.Response:
        url = f"{self.model.base_url}/_standin/{name}"
        return requests.request(method, url, json=body, timeout=10)


def drop_none(body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what a test wants left out."""
    return {name: value for name, value in body.items() if value is not None}


def read_events(answer: requests.Response) -> list[dict[str, Any]]:
    """Read what a stream said."""
    lines = answer.content.decode().splitlines()
    told = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(data) for data in told if data != "[DONE]"]
