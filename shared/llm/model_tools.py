"""The tools that a drafting model is offered: look, submit the change, or give up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.context.tools import SnapshotTools
from shared.domain.credentials import mask_credentials
from shared.llm.conversation import Tool, ToolCall
from shared.patching.read_structured import EDIT_TOOL_SCHEMA

SUBMIT: Final = "submit_edits"
GIVE_UP: Final = "give_up"
MAX_SUMMARY: Final = 1500
"""Characters of what a model says about its change."""


def list_tools(looks: SnapshotTools, edit_format: str, tool_rounds: int) -> tuple[Tool, ...]:
    """List the tools of a draft, in an order that never changes: they begin the cached part."""
    tools: list[Tool] = []
    if tool_rounds:
        tools.extend(Tool(spec.name, spec.description, spec.schema) for spec in looks.specs())
    if edit_format == "structured":
        tools.append(Tool(SUBMIT, "Submit the whole change.", _submit_schema()))
    tools.append(
        Tool(
            GIVE_UP,
            "Say that the command cannot be carried out, and why.",
            {
                "type": "object",
                "properties": {
                    "reason": {
                        "type": "string",
                        "description": "One sentence to the author: what has to be changed.",
                    }
                },
                "required": ["reason"],
                "additionalProperties": False,
            },
        )
    )
    return tuple(tools)


def _submit_schema() -> Mapping[str, Any]:
    summary = {
        "type": "string",
        "description": "One to three sentences for the reviewer: what was changed, and why so.",
    }
    return {
        "type": "object",
        "properties": {"summary": summary, **EDIT_TOOL_SCHEMA["properties"]},
        "required": ["summary", *EDIT_TOOL_SCHEMA["required"]],
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Submission:
    """What a model submitted: not read, not applied, not trusted."""

    edits: str
    edit_format: str
    summary: str


def read_submission(call: ToolCall) -> Submission:
    """Read a call of `submit_edits`; what cannot be read is left to the edit engine to refuse."""
    return Submission(call.arguments, "structured", _read_summary(read_arguments(call)))


def read_written_submission(text: str) -> Submission:
    """Read the arguments of `submit_edits` where a model wrote them as its answer."""
    bare = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    return Submission(text, "structured", _read_summary(read_arguments(ToolCall("", SUBMIT, bare))))


def _read_summary(arguments: Any) -> str:
    told = arguments.get("summary") if isinstance(arguments, dict) else None
    return mask_credentials(str(told or ""))[:MAX_SUMMARY]


def read_arguments(call: ToolCall) -> Any:
    """Decode a call's arguments; None where they are no JSON."""
    try:
        return json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return None


def run_look(tools: SnapshotTools, call: ToolCall) -> str:
    """Run one of the looking tools; every answer is without credentials."""
    return mask_credentials(tools.run(call.name, read_arguments(call)))
