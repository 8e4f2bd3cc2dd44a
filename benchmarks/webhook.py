"""How long a delivery waits for its 202, against an HTTP function that does nothing, on one host.

The empty function stands in a folder beside a copy of this app's `function_app.py`, so that both
are served by the same process. Requests alternate; the ratio is of the 95th percentiles. The bound
is 2.0.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, Final

import requests

REPOSITORY: Final = Path(__file__).resolve().parents[1]
BOUND: Final = 2.0
EMPTY: Final = """

@app.route(route="empty", methods=["POST"])
async def empty(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("{}", status_code=202, mimetype="application/json")
"""
"""Appended to the app under test, in a folder of its own."""
TALK: Final = "thanks"
COMMAND: Final = "/edit /3 make all buttons red"


def build_body(
    content: str, *, repository: str = "", project: str = "", pull_request: int = 1, thread: int = 1
) -> bytes:
    """Build a delivery about the first comment of a thread; by default one nobody has seen yet."""
    repository, project = repository or str(uuid.uuid4()), project or str(uuid.uuid4())
    base = f"https://dev.azure.com/contoso/_apis/git/repositories/{repository}"
    links = {"self": {"href": f"{base}/pullRequests/{pull_request}/threads/{thread}/comments/1"}}
    body: dict[str, Any] = {
        "eventType": "ms.vss-code.git-pullrequest-comment-event",
        "resource": {
            "comment": {"id": 1, "content": content, "commentType": "text", "_links": links},
            "pullRequest": {
                "pullRequestId": pull_request,
                "repository": {"id": repository, "project": {"id": project}},
            },
        },
    }
    return json.dumps(body).encode()


def make_folder(folder: Path) -> None:
    """Make an app folder that is this app and the empty function."""
    for name in ("shared", "orchestrators", "activities", "host.json"):
        (folder / name).symlink_to(REPOSITORY / name)
    source = (REPOSITORY / "function_app.py").read_text("utf-8")
    (folder / "function_app.py").write_text(source + EMPTY, encoding="utf-8")


def measure(url: str, runs: int) -> tuple[list[float], list[float], list[float]]:
    """Answer the seconds of empty calls, of ignored comments and of commands, in turn."""
    session = requests.Session()
    session.auth = ("x", "bench")
    took: tuple[list[float], list[float], list[float]] = ([], [], [])
    for number in range(runs + 20):
        for kept, path, body in (
            (took[0], "empty", b"{}"),
            (took[1], "webhook/ado", build_body(TALK)),
            (took[2], "webhook/ado", build_body(COMMAND)),
        ):
            began = time.perf_counter()
            code = session.post(f"{url}/gateway/{path}", data=body, timeout=30).status_code
            if number >= 20:  # the first ones warm everything up
                kept.append(time.perf_counter() - began)
            if code not in (200, 202):
                raise RuntimeError(f"{path} answered {code}")
        time.sleep(
            0.02
        )  # the job that was started has its time, as it would in a quiet organisation
    return took


def percentile_95(values: list[float]) -> float:
    """Answer the 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def main() -> int:
    """Measure and print; 1 when the bound is exceeded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webhook", description=__doc__)
    parser.add_argument("--runs", type=int, default=300, help="requests of each kind (300)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_folder(folder)
        ready = folder / "ready"
        settings = {
            "TASKHUB_NAME": "bench",
            "WEBHOOK_SECRET": "bench",
            "AZURE_DEVOPS_ORGANISATION_URL": "http://127.0.0.1:9/contoso",
            "CODE_AGENT_DATA_DIR": str(folder / "data"),
            # nobody is at that address: the job's first step is given up after its tries
            "CODE_AGENT_ADO_TRIES": "1",
        }
        command = [
            *(sys.executable, "-m", "local", "host", "--app", str(folder), "--port", "0"),
            *("--quiet", "--state", str(folder / "state.db"), "--ready-file", str(ready)),
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=REPOSITORY, env={**os.environ, **settings}, stdout=log, stderr=log
            )
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise RuntimeError((folder / "log").read_text("utf-8"))
                time.sleep(0.05)
            empty, ignored, started = measure(ready.read_text("ascii"), runs)
        finally:
            process.terminate()
            process.wait(10)
    base = percentile_95(empty)
    ratio = percentile_95(started) / base
    print(
        f"empty function   P50 {1000 * statistics.median(empty):.2f} ms, P95 {1000 * base:.2f} ms"
    )
    for label, values in (("ignored comment", ignored), ("started command", started)):
        print(
            f"{label}  P50 {1000 * statistics.median(values):.2f} ms,"
            f" P95 {1000 * percentile_95(values):.2f} ms, ratio {percentile_95(values) / base:.2f}"
        )
    print(f"ratio at P95     {ratio:.2f} (bound {BOUND})")
    return 0 if ratio <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
