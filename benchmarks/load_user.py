"""What locust runs for `benchmarks.load`: deliveries to the webhook, each at its own instant.

The plan is a JSON file named by CODE_AGENT_LOAD_PLAN. Locust patches the standard library for
gevent, so this module is imported by locust's own process and by nobody else.
"""

import json
import os
import time
from pathlib import Path

import gevent
from locust import FastHttpUser, task

PLAN = json.loads(Path(os.environ["CODE_AGENT_LOAD_PLAN"]).read_text("utf-8"))


class ServiceHook(FastHttpUser):
    """Sends each delivery when its time has come, whatever became of the ones before."""

    host = PLAN["url"]
    fixed_count = 1

    @task
    def deliver_all(self) -> None:
        """Send the whole plan, and end."""
        began = time.monotonic()
        sent = []
        for delivery in PLAN["deliveries"]:
            gevent.sleep(max(0.0, delivery["at_s"] - (time.monotonic() - began)))
            sent.append(gevent.spawn(self._deliver, delivery["body"]))
        gevent.joinall(sent)
        self.environment.runner.quit()

    def _deliver(self, body: str) -> None:
        with self.client.post(
            "/gateway/webhook/ado",
            data=body,
            headers={"X-Code-Agent-Secret": PLAN["secret"], "Content-Type": "application/json"},
            catch_response=True,
        ) as answer:
            if answer.status_code != 202:
                answer.failure(f"HTTP {answer.status_code}")
