"""Put a host together from its parts, run it, and take it down.

`serve` is for tests and other programs, `run_host` for the command line. Importing this module
starts nothing: no thread, no loop, no socket.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from azure.functions import meta
from azure.functions.durable_functions import ActivityTriggerConverter

from local.functions_host.activities import ActivityRunner
from local.functions_host.alarm import Alarm
from local.functions_host.app_loader import App, load_app
from local.functions_host.client_links import ClientLinks
from local.functions_host.console import Console, ConsoleHandler
from local.functions_host.courtesy import Courtesy
from local.functions_host.engine import OrchestrationRunner
from local.functions_host.entities import EntityRunner
from local.functions_host.host_json import HostJson, load_host_json
from local.functions_host.http_server import HTTP_LIMIT_S, HttpServer
from local.functions_host.invocation import Invoker
from local.functions_host.mailroom import Mailroom
from local.functions_host.management_api import ManagementApi, build_key
from local.functions_host.operations import Operations
from local.functions_host.settings import load_settings
from local.functions_host.state import StateStore
from local.functions_host.telemetry import HostTelemetry
from local.functions_host.timers import TimerRunner

DEFAULT_PORT = 7071
STATE_FOLDER = ".functions_host"

_SWITCH_INTERVAL_S = 0.0005  # the loop must not wait 5 ms behind a thread that computes

_LOG_LEVELS = {
    "Trace": logging.DEBUG,
    "Debug": logging.DEBUG,
    "Information": logging.INFO,
    "Warning": logging.WARNING,
    "Error": logging.ERROR,
    "Critical": logging.CRITICAL,
    "None": logging.CRITICAL + 1,
}


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What can be chosen about a host."""

    app_dir: Path
    port: int = DEFAULT_PORT
    """0 takes any free port."""
    state_path: Path | None = None
    """Default: `.functions_host/state.sqlite3` in the app's folder."""
    verbose: bool = False
    quiet: bool = False
    """Say nothing but errors."""
    ready_file: Path | None = None
    """Written with the base URL once the host listens."""
    http_limit_s: float = HTTP_LIMIT_S


@dataclass(frozen=True, slots=True)
class RunningHost:
    """A host that listens."""

    base_url: str
    port: int
    app: App
    operations: Operations
    links: ClientLinks
    invoker: Invoker


@contextlib.asynccontextmanager
async def serve(options: HostOptions) -> AsyncIterator[RunningHost]:
    """Run a host inside the current event loop until the block is left.

    Raises:
        AppError, RouteError, SettingsError, StateError: the app or its state cannot be used.
    """
    app_dir = options.app_dir.resolve()
    console = Console(verbose=options.verbose, quiet=options.quiet)
    load_settings(app_dir)
    host_json = load_host_json(app_dir)
    app = load_app(app_dir)
    _let_sdk_notices_pass()
    store = StateStore(_choose_state_path(options, app_dir))
    alarm = Alarm()
    mailroom = Mailroom(store, alarm)
    invoker = Invoker()
    courtesy = Courtesy()
    runner = OrchestrationRunner(
        app,
        mailroom,
        invoker,
        console,
        courtesy,
        versions=host_json.versions,
        max_concurrent=host_json.max_concurrent_orchestrators,
    )
    activities = ActivityRunner(
        app,
        mailroom,
        invoker,
        console,
        max_concurrent=host_json.max_concurrent_activities,
    )
    entities = EntityRunner(app, mailroom, invoker, console)
    async with contextlib.AsyncExitStack() as cleanup:
        cleanup.callback(store.close)
        cleanup.push_async_callback(_close_sdk_session)
        cleanup.callback(alarm.stop)
        timers = TimerRunner(app, store, alarm, invoker, console)
        telemetry = HostTelemetry()
        server = HttpServer(
            app,
            invoker,
            console,
            courtesy,
            telemetry,
            route_prefix=host_json.route_prefix,
            limit_s=options.http_limit_s,
        )
        key = _read_key(store)
        operations = Operations(app, mailroom, runner, host_json.versions.current)
        for part in (runner, activities, entities, timers):
            cleanup.push_async_callback(part.stop)
        cleanup.push_async_callback(telemetry.stop)
        cleanup.push_async_callback(server.stop)
        port = await server.listen(options.port)
        links = ClientLinks(f"http://127.0.0.1:{port}", host_json.hub_name, key)
        invoker.client_binding = links.build_binding()
        server.attach(ManagementApi(operations, links), timers, key)
        mailroom.resume()
        timers.start()
        console.show(_describe(app, server, links, host_json))
        _write_ready_file(options.ready_file, links.base_url)
        yield RunningHost(links.base_url, port, app, operations, links, invoker)


def run_host(options: HostOptions) -> None:
    """Run a host until SIGINT or SIGTERM; blocks.

    A function still inside a thread is not waited for: its activity runs again at the next start.
    """
    state_path = _choose_state_path(options, options.app_dir.resolve()).resolve()
    ready_file = options.ready_file.resolve() if options.ready_file else None
    app_dir = options.app_dir.resolve()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    os.chdir(app_dir)  # functions find their files as under `func start`
    busy = asyncio.run(
        _run_until_signalled(
            HostOptions(
                app_dir=app_dir,
                port=options.port,
                state_path=state_path,
                verbose=options.verbose,
                quiet=options.quiet,
                ready_file=ready_file,
                http_limit_s=options.http_limit_s,
            )
        )
    )
    if busy:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # the interpreter would wait for the threads


async def _run_until_signalled(options: HostOptions) -> int:
    _configure_logging(options)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serve(options) as host:
        await stop.wait()
        invoker = host.invoker
    return invoker.stop()


def _choose_state_path(options: HostOptions, app_dir: Path) -> Path:
    if options.state_path is not None:
        return options.state_path
    folder = app_dir / STATE_FOLDER
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="ascii")
    return folder / "state.sqlite3"


def _read_key(store: StateStore) -> str:
    key = store.read_value("durabletask_key")
    if key is None:
        key = build_key()
        store.write_value("durabletask_key", key)
    return key


def _configure_logging(options: HostOptions) -> None:
    """Show the app's log records at the level of host.json."""
    level_name = load_host_json_level(options.app_dir)
    handler = ConsoleHandler(Console(verbose=options.verbose, quiet=options.quiet))
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=_LOG_LEVELS.get(level_name, logging.INFO), handlers=[handler])
    for noisy in ("azure.functions", "asyncio", "aiohttp.server"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def load_host_json_level(app_dir: Path) -> str:
    """Read the log level of an app's host.json."""
    load_settings(app_dir)
    return load_host_json(app_dir).log_level


def _let_sdk_notices_pass() -> None:
    """Provoke the SDK's one-time advice about types here, where it breaks nobody's `-W error`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datum = meta.Datum(type="string", value="null")
        ActivityTriggerConverter.decode(datum, trigger_metadata=None)


async def _close_sdk_session() -> None:
    """Close the HTTP session that the Durable SDK keeps in a module global."""
    module = sys.modules.get("azure.durable_functions.models.utils.http_utils")
    if module is not None:
        await module._close_session()  # noqa: SLF001  (the SDK has no public way)


def _write_ready_file(path: Path | None, base_url: str) -> None:
    if path is not None:
        partial = path.with_name(path.name + ".part")
        partial.write_text(base_url, encoding="ascii")
        partial.replace(path)


def _describe(app: App, server: HttpServer, links: ClientLinks, host_json: HostJson) -> list[str]:
    lines = [f"Functions host on {links.base_url}, app {app.directory}", ""]
    for route in server.routes:
        methods = ",".join(sorted(route.methods)) or "ANY"
        lines.append(f"  {route.target.name}: [{methods}] {links.base_url}/{route.template}")
    lines.extend(
        f"  {function.name}: {function.trigger_type}"
        for function in sorted(app.functions, key=lambda f: (f.trigger_type, f.name))
        if function.trigger_type != "httpTrigger"
    )
    if app.orchestrators or app.entities:
        lines.append("")
        lines.append(
            f"  Durable API: {links.base_url}/runtime/webhooks/durabletask/instances"
            f"?code={links.key} (task hub {host_json.hub_name})"
        )
    return [*lines, ""]
