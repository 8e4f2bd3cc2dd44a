"""An app with settings of its own: no route prefix, a version, timers, limits."""
# ruff: noqa: ANN001, ANN201, ARG001  (in the manner of the official samples)

import asyncio
import json
import os
import threading
import time
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)

_gauge = {"now": 0, "most": 0}
_lock = threading.Lock()


def _write(name: str, text: str) -> None:
    folder = os.environ.get("TRACE_FOLDER")
    if folder:
        with (Path(folder) / name).open("a") as file:
            file.write(text + "\n")


@app.timer_trigger(schedule="%EVERY%", arg_name="timer")
@app.durable_client_input(client_name="client")
async def tick(timer: func.TimerRequest, client) -> None:
    _write("tick", f"{timer.past_due}")
    await client.start_new("versioned", "started-by-timer" if timer.past_due else None)


@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer", run_on_startup=True)
def once(timer: func.TimerRequest, context: func.Context) -> None:
    _write("once", context.function_name)


@app.route(route="")
def root(req: func.HttpRequest) -> str:
    return "root"


@app.route(route="settings")
def settings(req: func.HttpRequest) -> func.HttpResponse:
    names = ("FROM_FILE", "FROM_BOTH")
    return func.HttpResponse(json.dumps([os.environ.get(name) for name in names]))


@app.route(route="files/{*path}", methods=["GET"])
async def files(req: func.HttpRequest) -> str:
    return req.route_params.get("path", "none")


@app.route(route="orders/{id:guid}", methods=["GET"])
async def order(req: func.HttpRequest) -> str:
    return req.route_params["id"]


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client) -> func.HttpResponse:
    return func.HttpResponse(await client.start_new(req.route_params["name"]))


@app.route(route="slow", methods=["GET"])
async def slow(req: func.HttpRequest) -> str:
    await asyncio.sleep(30)
    return "late"


@app.orchestration_trigger(context_name="context")
def versioned(context):
    yield context.task_all([])
    return context.version


@app.orchestration_trigger(context_name="context")
def crowd(context):
    yield context.task_all([context.call_activity("take_part", n) for n in range(6)])
    return (yield context.call_activity("tell_most", ""))


@app.activity_trigger(input_name="number")
def take_part(number: int) -> None:
    with _lock:
        _gauge["now"] += 1
        _gauge["most"] = max(_gauge["most"], _gauge["now"])
    time.sleep(0.02)
    with _lock:
        _gauge["now"] -= 1


@app.activity_trigger(input_name="unused")
def tell_most(unused: str) -> int:
    return _gauge["most"]
