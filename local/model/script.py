"""What the model answers: steps that somebody wrote down, or a brain that decides.

A script is a list of steps. For each request the first step that fits is taken: one that names a
text of the request (`when`) or a number of a call (`call`) fits only those; each step serves
`times` requests. A script without a step that fits is exhausted, and the server says so.

As JSON: `[{"when": "red", "times": 2, "reply": {"text": "…", "calls": [{"name": "…", "arguments":
{…}}], "stop": "length"}}, {"reply": {"fault": {"status": 429, "headers": {"retry-after": "2"}}}}]`
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

STOPS: Final = ("done", "calls", "length", "refused")
NO_SCRIPT: Final = "I am a stand-in and have neither a script nor a brain, so I change nothing."


class ScriptError(ValueError):
    """A script that cannot be read, or that has no answer left."""


@dataclass(frozen=True, slots=True)
class PlainCall:
    """A call of a tool: as the model made it, or as it shall make it."""

    name: str
    arguments: str
    """JSON, or something that is none, where a model shall get it wrong."""
    id: str = ""


@dataclass(frozen=True, slots=True)
class PlainMessage:
    """One turn, whichever wire it came over."""

    role: str
    """`user` or `assistant`; results of tools are the user's."""
    texts: tuple[str, ...] = ()
    """Its text, in the blocks in which it was sent."""
    calls: tuple[PlainCall, ...] = ()
    results: tuple[tuple[str, str, bool], ...] = ()
    """Id of the call, text, and whether it is an error."""


@dataclass(frozen=True, slots=True)
class PlainConversation:
    """What was asked, whichever wire it came over."""

    wire: str
    """`anthropic` or `openai`."""
    model: str
    system: str
    messages: tuple[PlainMessage, ...]
    tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name to JSON schema."""
    must_call: str | None = None
    """Name of a tool, `any`, or None."""
    max_tokens: int | None = None
    temperature: float | None = None
    effort: str | None = None
    """How much it is told to think."""
    thoughts: tuple[str, ...] = ()
    """Ids of what was thought before, where it came back."""

    def to_text(self) -> str:
        """Write everything that was said below one another: what `when` is looked for in."""
        parts = [self.system]
        for message in self.messages:
            parts.extend(message.texts)
            parts.extend(f"{call.name} {call.arguments}" for call in message.calls)
            parts.extend(text for _, text, _ in message.results)
        return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong instead of an answer, or in the middle of one."""

    status: int = 0
    """HTTP status of a refusal; 0: answered with 200."""
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = ""
    """The service's own name for it; left out, the one that belongs to the status."""
    message: str = "The script wants it so."
    slow_s: float = 0.0
    """Seconds before each event of a stream, or before an answer that is none."""
    break_after_events: int | None = None
    """Events of a stream that still arrive."""
    how: str = "reset"
    """How a stream breaks off: `reset`, `end` (cleanly, but early), `error` (an event says so),
    `silence` (open, with nothing but pings every `slow_s`)."""


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """One answer."""

    text: str = ""
    calls: tuple[PlainCall, ...] = ()
    stop: str = ""
    """One of `STOPS`; left out: `calls` with calls, else `done`."""
    fault: Fault | None = None

    def to_stop(self) -> str:
        """Answer why the reply ends."""
        return self.stop or ("calls" if self.calls else "done")


Brain = Callable[[PlainConversation], ScriptedReply]
"""Decides what is answered; it may take its time, it runs in a thread."""


@dataclass(slots=True)
class Step:
    """One step of a script."""

    reply: ScriptedReply
    when: str = ""
    """Text that the request has to hold."""
    call: int = 0
    """1-based number of the call since the script was set; 0: any."""
    times: int = 1
    """Requests that it serves; 0: all."""
    served: int = 0

    def fits(self, text: str, call: int) -> bool:
        """Tell whether the step is for this request."""
        is_left = not self.times or self.served < self.times
        return is_left and self.when in text and self.call in (0, call)


class Script:
    """Steps, and how far they are used up: a brain without sense."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps)
        self.calls = 0

    def __call__(self, conversation: PlainConversation) -> ScriptedReply:
        """Answer the first step that fits.

        Raises:
            ScriptError: none does.
        """
        self.calls += 1
        text = conversation.to_text()
        for step in self.steps:
            if step.fits(text, self.calls):
                step.served += 1
                return step.reply
        raise ScriptError(f"the script has no step left for call {self.calls}")


def say_that_there_is_none(_: PlainConversation) -> ScriptedReply:
    """Answer without a script: honestly."""
    return ScriptedReply(text=NO_SCRIPT)


def read_script(plain: Any) -> Script:
    """Read a script from JSON.

    Raises:
        ScriptError: it is none.
    """
    try:
        return Script([_read_step(step) for step in plain])
    except (KeyError, TypeError, ValueError) as error:
        raise ScriptError(f"not a script: {type(error).__name__}: {error}") from None


def _read_step(plain: Mapping[str, Any]) -> Step:
    _refuse_unknown(plain, {"when", "call", "times", "reply"})
    return Step(
        reply=_read_reply(plain["reply"]),
        when=str(plain.get("when", "")),
        call=int(plain.get("call", 0)),
        times=int(plain.get("times", 1)),
    )


def _read_reply(plain: Mapping[str, Any]) -> ScriptedReply:
    _refuse_unknown(plain, {"text", "calls", "stop", "fault"})
    stop = str(plain.get("stop", ""))
    if stop and stop not in STOPS:
        raise ValueError(f"stop is one of {', '.join(STOPS)}")
    calls = tuple(_read_call(call) for call in plain.get("calls", ()))
    fault = Fault(**plain["fault"]) if plain.get("fault") else None
    return ScriptedReply(str(plain.get("text", "")), calls, stop, fault)


def _read_call(plain: Mapping[str, Any]) -> PlainCall:
    _refuse_unknown(plain, {"name", "arguments", "id"})
    arguments = plain["arguments"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return PlainCall(str(plain["name"]), text, str(plain.get("id", "")))


def _refuse_unknown(plain: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(plain) - known)
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}")
