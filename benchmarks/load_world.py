"""A local world under load: locust begins its jobs, the host's own histories tell of them."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import requests

from benchmarks import load_brain
from benchmarks.webhook import build_body
from local.azure_devops import seed
from local.demo.person import API
from local.demo.providers import Choice
from local.demo.world import Demo, Ports, run_world

WISH: Final = "add a page about deliveries to the documentation"
LIMIT_S: Final = 600.0
_SETTINGS: Final = {
    # every job asks the model anew, and nobody is refused: the load is the point
    "CODE_AGENT_RESULT_CACHE_S": "0",
    "CODE_AGENT_LIMIT_USER_JOBS": "0",
    "CODE_AGENT_LIMIT_REPOSITORY_VARIANTS": "0",
}
_STARTED, _COMPLETED, _SCHEDULED, _DONE, _SENT, _RAISED = 0, 1, 4, 5, 14, 15
"""Types of history events."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a load came to."""

    latencies: Sequence[float]
    """Seconds from the start of each orchestration to its end."""
    webhook_s: Sequence[float]
    """50th and 95th percentile and mean of the deliveries, as locust saw them."""
    steps: Mapping[str, Sequence[float]]
    """Activity to the seconds from its scheduling to its answer."""
    entity_calls: Sequence[float]
    """Seconds from a call to an entity to its answer."""
    cpu_s: Mapping[str, float]
    """Server to the processor seconds that it took."""
    ado_calls: int
    took_s: float
    """From the first delivery to the end of the last job."""


def merge(runs: Sequence[Ran]) -> Ran:
    """Put runs of the same load together; the percentiles of deliveries are averaged."""
    return Ran(
        latencies=[one for run in runs for one in run.latencies],
        webhook_s=[
            sum(each) / len(runs) for each in zip(*(run.webhook_s for run in runs), strict=True)
        ],
        steps={name: [s for run in runs for s in run.steps[name]] for name in runs[0].steps},
        entity_calls=[one for run in runs for one in run.entity_calls],
        cpu_s={name: sum(run.cpu_s[name] for run in runs) for name in runs[0].cpu_s},
        ado_calls=sum(run.ado_calls for run in runs),
        took_s=sum(run.took_s for run in runs),
    )


@contextmanager
def run_loaded_world(
    *, model_s: float, model_sigma: float, settings: Mapping[str, str] | None = None
) -> Iterator[Demo]:
    """Run a world whose model takes its time, without a service hook of its own."""
    os.environ |= {load_brain.MEDIAN: str(model_s), load_brain.SIGMA: str(model_sigma)}
    choice = Choice(provider="anthropic", is_live=False)
    with (
        TemporaryDirectory() as name,
        run_world(
            Path(name),
            ports=Ports(),
            settings={**choice.build_settings(), **_SETTINGS, **(settings or {})},
            play_model=choice.play_model,
            brain="benchmarks.load_brain:think",
        ) as demo,
    ):
        hook = f"{demo.organisation_url}/_apis/hooks/subscriptions/{demo.subscription_id}"
        requests.delete(hook, params=API, auth=("", demo.admin.pat), timeout=10).raise_for_status()
        yield demo


def run_load(demo: Demo, variants: int, arrivals: Sequence[float]) -> Ran:
    """Have locust deliver a command at each instant, and wait until all jobs have ended.

    Raises:
        RuntimeError: locust failed, or a job did not end in time.
    """
    known = {instance for instance, _ in _read_jobs(demo)}
    content = f"/edit /{variants} {WISH}"
    place = demo.jamal.call_repository("GET", "")
    deliveries = []
    for at_s in arrivals:
        thread = demo.jamal.write_comment(seed.PULL_REQUEST_ID, content)
        body = build_body(
            content,
            repository=place["id"],
            project=place["project"]["id"],
            pull_request=seed.PULL_REQUEST_ID,
            thread=thread,
        )
        deliveries.append({"at_s": at_s, "body": body.decode()})
    calls_before, cpu_before = _count_ado_calls(demo), read_cpu(demo)
    began = time.monotonic()
    told = _drive(demo, deliveries)
    until = time.monotonic() + LIMIT_S
    while True:
        jobs = [(key, status) for key, status in _read_jobs(demo) if key not in known]
        if len(jobs) == len(deliveries) and all(status == "Completed" for _, status in jobs):
            break
        if time.monotonic() > until:
            raise RuntimeError(f"{len(jobs)} of {len(deliveries)} jobs began, not all have ended")
        time.sleep(0.25)
    took_s = time.monotonic() - began
    cpu_s = {name: spent - cpu_before[name] for name, spent in read_cpu(demo).items()}
    steps, entity_calls, latencies = _read_histories(demo, [key for key, _ in jobs])
    return Ran(
        latencies=latencies,
        webhook_s=told,
        steps=steps,
        entity_calls=entity_calls,
        cpu_s=cpu_s,
        ado_calls=_count_ado_calls(demo) - calls_before,
        took_s=took_s,
    )


def _drive(demo: Demo, deliveries: Sequence[Mapping[str, Any]]) -> Sequence[float]:
    plan = demo.folder / "load-plan.json"
    url = demo.gateway_url.removesuffix("/gateway")
    document = {"url": url, "secret": demo.secret, "deliveries": deliveries}
    plan.write_text(json.dumps(document), encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("load_user.py"))),
            *("--headless", "--users", "1", "--json", "--only-summary", "--loglevel", "ERROR"),
        ],
        env={**os.environ, "CODE_AGENT_LOAD_PLAN": str(plan)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"locust ended with {done.returncode}: {done.stderr[-1000:]}")
    [told] = json.loads(done.stdout)
    times = [float(ms) for ms, count in told["response_times"].items() for _ in range(count)]
    ranked = sorted(times)
    mean_ms = float(told["total_response_time"]) / int(told["num_requests"])
    p50_ms, p95_ms = ranked[len(ranked) // 2], ranked[int(0.95 * len(ranked))]
    return p50_ms / 1000, p95_ms / 1000, mean_ms / 1000


def _read_jobs(demo: Demo) -> list[tuple[str, str]]:
    query = "SELECT instance_id, runtime_status FROM instances WHERE name = 'edit_job'"
    return _query(demo, query)


def _query(demo: Demo, query: str) -> list[Any]:
    path = f"file:{demo.folder / 'host.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True, timeout=10)) as connection:
        return list(connection.execute(query))


def _read_histories(
    demo: Demo, jobs: Sequence[str]
) -> tuple[Mapping[str, list[float]], list[float], list[float]]:
    histories: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for instance, event in _query(
        demo, "SELECT instance_id, event FROM history ORDER BY instance_id, position"
    ):
        if any(instance == job or instance.startswith(f"{job}-v") for job in jobs):
            histories[instance].append(json.loads(event))
    steps: dict[str, list[float]] = defaultdict(list)
    entity_calls: list[float] = []
    latencies: list[float] = []
    for instance, events in histories.items():
        at = {id(event): datetime.fromisoformat(event["Timestamp"]) for event in events}
        asked = {e["EventId"]: e for e in events if e["EventType"] == _SCHEDULED}
        sent = [e for e in events if e["EventType"] == _SENT]
        raised = [e for e in events if e["EventType"] == _RAISED]
        for event in events:
            if event["EventType"] == _DONE:
                order = asked[event["TaskScheduledId"]]
                took_s = (at[id(event)] - at[id(order)]).total_seconds()
                steps[order["Name"]].append(took_s)
        for order, event in zip(sent, raised, strict=False):
            entity_calls.append((at[id(event)] - at[id(order)]).total_seconds())
        if instance in jobs:
            ends = [e for e in events if e["EventType"] in (_STARTED, _COMPLETED)]
            latencies.append((at[id(ends[-1])] - at[id(ends[0])]).total_seconds())
    return steps, entity_calls, latencies


def _count_ado_calls(demo: Demo) -> int:
    calls: Any = requests.get(f"{demo.stand_in_url}/_standin/calls", timeout=10).json()
    return int(calls["count"])


def read_cpu(demo: Demo) -> Mapping[str, float]:
    """Answer the processor seconds of each server so far (Linux)."""
    spent = {}
    for name in ("host", "azure-devops", "model"):
        mark = str(demo.folder / f"{name}.url").encode()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if mark not in path.read_bytes():
                    continue
                fields = path.with_name("stat").read_text("ascii").rpartition(")")[2].split()
            except OSError:
                continue  # it has ended meanwhile
            spent[name] = (int(fields[11]) + int(fields[12])) / 100
    return spent
