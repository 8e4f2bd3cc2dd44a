"""The arguments of a model's calls, as a service takes them back: an object, whatever was written.

A call that was cut off, or escaped wrongly, is no JSON. Ollama refuses a whole conversation that
holds one ("invalid tool call arguments"), as do servers whose template of the prompt reads it.
Sources: https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming
https://github.com/ollama/ollama, `openai/openai.go`
"""

import json
from typing import Any

from shared.llm.conversation import ToolCall


def read_object(call: ToolCall) -> dict[str, Any]:
    """Answer a call's arguments as an object; what is none is wrapped, as Anthropic advises."""
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        arguments = None
    return arguments if isinstance(arguments, dict) else {"INVALID_JSON": call.arguments}


def write_object(call: ToolCall) -> str:
    """Answer a call's arguments as the text of an object; what is one stays as it was written."""
    arguments = read_object(call)
    return json.dumps(arguments) if "INVALID_JSON" in arguments else call.arguments
