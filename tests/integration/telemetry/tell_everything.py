"""Run as a program: configures the export from its environment, and tells of all that leaks."""

import json
import logging
import os
import sys
import time

from opentelemetry import trace

from shared.telemetry import metrics
from shared.telemetry.emit import emit
from shared.telemetry.events import AdoRateLimited
from shared.telemetry.exporting import flush, start_exporting
from shared.telemetry.failures import tell_failure
from shared.telemetry.redact import clean_all_logs
from shared.telemetry.tracing import call_out, follow, mark_failed

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET = "sk-ant-" + "a" * 40
PERSON = "jamal@contoso.example"


def main() -> None:
    clean_all_logs()
    started = start_exporting()
    took_s = []
    with follow(TRACEPARENT, f"step for {PERSON}", {"key": SECRET}) as span:
        with call_out("list threads", {"header": f"Authorization: Bearer {SECRET}"}) as call:
            mark_failed(call, "ado.unavailable")
        span.add_event("odd", {"who": PERSON})
        emit(AdoRateLimited(operation=f"GET {PERSON}", status_code=429, retry_after_s=3))
        log = logging.getLogger("code_agent.somewhere")
        log.warning("no access for %s", PERSON, extra={"token": SECRET, "people": [PERSON]})
        try:
            int(f"{SECRET} of {PERSON}")
        except ValueError:
            log.exception("it broke")
        tell_failure("ado.unavailable", "retry", operation="x", job_id="edit-1", correlation_id="c")
    metrics.VARIANT_DURATION.record(90_000, status="success", llmProvider="stub", variant=1)
    for _ in range(3):
        began = time.monotonic()
        flush(metrics=True)
        took_s.append(time.monotonic() - began)
    recording = trace.get_tracer("x").start_span("y").is_recording()
    said = {"started": started, "recording": recording, "took_s": took_s}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    if "--await-end" not in sys.argv:
        os._exit(0)  # as a host ends a process: nothing is sent any more


if __name__ == "__main__":
    main()
