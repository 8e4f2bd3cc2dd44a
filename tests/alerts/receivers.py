"""PagerDuty's Events API v2 and Slack's incoming webhooks, as far as alerts meet them.

Both refuse what the real ones refuse. Sources:
https://developer.pagerduty.com/docs/events-api-v2-overview (fields and their limits),
https://api.slack.com/messaging/webhooks and https://api.slack.com/reference/surfaces/formatting
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tests.loopback import QuietHandler, serve_on_loopback

ROUTING_KEY: Final = "R0UT1NGKEY" + "0" * 22
SLACK_PATH: Final = "/services/T0/B0/secret"
_SEVERITIES: Final = ("critical", "error", "warning", "info")


@dataclass
class Receivers:
    """What they have been told."""

    url: str = ""
    incidents: dict[str, str] = field(default_factory=dict)
    """State of each incident by its key: `open` or `resolved`."""
    events: list[dict[str, Any]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def take(self, path: str, body: bytes) -> tuple[int, str]:
        """Answer a request: status and text."""
        try:
            told = json.loads(body)
        except ValueError:
            return 400, "invalid_payload"
        if path == "/v2/enqueue":
            return self._take_event(told)
        if path == SLACK_PATH:
            return self._take_message(told)
        return 404, "no_service"

    def _take_event(self, event: dict[str, Any]) -> tuple[int, str]:
        key, action = event.get("dedup_key", ""), event.get("event_action")
        if event.get("routing_key") != ROUTING_KEY:
            return 400, "Invalid routing key"
        if action not in ("trigger", "resolve") or len(key) > 255 or not key:
            return 400, "Event object is invalid"
        payload = event.get("payload", {})
        if action == "trigger" and (
            not 0 < len(payload.get("summary", "")) <= 1024
            or not payload.get("source")
            or payload.get("severity") not in _SEVERITIES
            or not _is_instant(payload.get("timestamp"))
        ):
            return 400, "'payload' is invalid"
        self.events.append(event)
        if action == "trigger" or key in self.incidents:
            self.incidents[key] = "open" if action == "trigger" else "resolved"
        return 202, json.dumps({"status": "success", "dedup_key": key})

    def _take_message(self, message: dict[str, Any]) -> tuple[int, str]:
        text = message.get("text")
        if not isinstance(text, str) or not text.strip():
            return 400, "no_text"
        if len(text) > 40_000:
            return 400, "msg_too_long"
        self.messages.append(text)
        return 200, "ok"


def _is_instant(text: Any) -> bool:
    try:
        return datetime.fromisoformat(str(text)[:19]) is not None
    except ValueError:
        return False


@contextlib.contextmanager
def run_receivers() -> Iterator[Receivers]:
    """Serve both on loopback until the block is left."""
    receivers = Receivers()

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - the library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, text = receivers.take(self.path, body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

    with serve_on_loopback(Handler) as receivers.url:
        yield receivers
