"""The patterns of the Durable Functions documentation, as one app that the host's tests run."""
# ruff: noqa: ANN001, ANN201, ARG001, BLE001, LOG015  (in the manner of the official samples)

import json
import logging
import os
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func
from corners import corners

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(corners)


# Clients


@app.route(route="orchestrators/{function_name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def http_start(req: func.HttpRequest, client):
    payload = json.loads(req.get_body()) if req.get_body() else None
    try:
        instance_id = await client.start_new(
            req.route_params["function_name"],
            req.params.get("id"),
            payload,
            req.params.get("version"),
        )
    except Exception as error:
        return func.HttpResponse(str(error), status_code=409)
    logging.info("started orchestration %s", instance_id)
    return client.create_check_status_response(req, instance_id)


@app.route(route="approve/{instance_id}/{event_name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def raise_event(req: func.HttpRequest, client):
    data = json.loads(req.get_body())
    await client.raise_event(req.route_params["instance_id"], req.route_params["event_name"], data)
    return func.HttpResponse(status_code=202)


@app.route(route="wait/{function_name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start_and_wait(req: func.HttpRequest, client):
    instance_id = await client.start_new(req.route_params["function_name"])
    return await client.wait_for_completion_or_create_check_status_response(
        req, instance_id, 5000, 50
    )


@app.route(route="counters/{key}/{operation?}")
@app.durable_client_input(client_name="client")
async def counter_client(req: func.HttpRequest, client):
    entity_id = df.EntityId("counter", req.route_params["key"])
    if req.method == "POST":
        amount = int(req.params.get("amount", "0"))
        await client.signal_entity(entity_id, req.route_params["operation"], amount)
        return func.HttpResponse(status_code=202)
    state = await client.read_entity_state(entity_id)
    return func.HttpResponse(json.dumps([state.entity_exists, state.entity_state]))


# Function chaining


@app.orchestration_trigger(context_name="context")
def chaining(context):
    first = yield context.call_activity("say_hello", "Tokyo")
    second = yield context.call_activity(say_hello, "Seattle")
    third = yield context.call_activity("say_hello", "London")
    return [first, second, third]


@app.activity_trigger(input_name="city")
def say_hello(city: str) -> str:
    return f"Hello {city}!"


# Fan-out, fan-in


@app.orchestration_trigger(context_name="context")
def fan_out(context):
    files = yield context.call_activity("list_files", context.get_input())
    sizes = yield context.task_all([context.call_activity("measure", name) for name in files])
    return sum(sizes)


@app.activity_trigger(input_name="count")
def list_files(count: int) -> list:
    return [f"file-{number}" for number in range(count)]


@app.activity_trigger(input_name="name")
async def measure(name: str, context: func.Context) -> int:
    assert context.function_name == "measure"
    assert context.invocation_id
    return len(name)


# Human interaction with a timeout


@app.orchestration_trigger(context_name="context")
def approval(context):
    seconds = context.get_input()["timeout_s"]
    deadline = context.current_utc_datetime + timedelta(seconds=seconds)
    timer = context.create_timer(deadline)
    decision = context.wait_for_external_event("Approval")
    context.set_custom_status("waiting")
    winner = yield context.task_any([decision, timer])
    if winner == timer:
        return "escalated"
    timer.cancel()
    return {"approved": decision.result}


# Monitor


@app.orchestration_trigger(context_name="context")
def monitor(context):
    expiry = context.current_utc_datetime + timedelta(seconds=30)
    polls = 0
    while context.current_utc_datetime < expiry:
        polls += 1
        state = yield context.call_activity("probe", {"id": context.instance_id, "polls": polls})
        context.set_custom_status({"polls": polls, "state": state})
        if state == "ready":
            return polls
        yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=50))
    return "gave up"


@app.activity_trigger(input_name="query")
def probe(query: dict) -> str:
    return "ready" if query["polls"] == 3 else "busy"


# Counter entity


@app.entity_trigger(context_name="context", entity_name="counter")
def count_things(context):
    current = context.get_state(lambda: 0)
    operation = context.operation_name
    if operation == "add":
        current += context.get_input()
    elif operation == "reset":
        current = 0
    elif operation == "fail":
        raise ValueError("the counter refuses")
    elif operation == "delete":
        context.destruct_on_exit()
        return
    context.set_state(current)
    context.set_result(current)


@app.orchestration_trigger(context_name="context")
def count_up(context):
    entity_id = df.EntityId("counter", context.get_input())
    context.signal_entity(entity_id, "add", 3)
    context.signal_entity(entity_id, "add", 4)
    after = yield context.call_entity(entity_id, "add", 5)
    value = yield context.call_entity(entity_id, "get")
    return [after, value]


# Sub-orchestrations with retry


@app.orchestration_trigger(context_name="context")
def provision_all(context):
    retry = df.RetryOptions(first_retry_interval_in_milliseconds=10, max_number_of_attempts=3)
    tasks = [
        context.call_sub_orchestrator_with_retry("provision", retry, {"device": device})
        for device in ("a", "b")
    ]
    results = yield context.task_all(tasks)
    return results


@app.orchestration_trigger(context_name="context")
def provision(context):
    assert context.parent_instance_id is not None
    device = context.get_input()["device"]
    attempt = yield context.call_activity("flaky", f"{context.parent_instance_id}-{device}")
    return f"{device} after {attempt}"


_attempts: dict[str, int] = {}


@app.activity_trigger(input_name="name")
def flaky(name: str) -> int:
    _attempts[name] = _attempts.get(name, 0) + 1
    if _attempts[name] < 3:
        raise RuntimeError(f"{name} is not ready")
    return _attempts[name]


# Continue as new


@app.orchestration_trigger(context_name="context")
def periodic(context):
    rounds = context.get_input()
    yield context.call_activity("say_hello", str(rounds))
    if rounds == 0:
        return "done"
    context.continue_as_new(rounds - 1)


# Durable HTTP


@app.orchestration_trigger(context_name="context")
def fetch(context):
    response = yield context.call_http("POST", context.get_input(), {"asked": True})
    return [response["statusCode"], response["content"]]


_jobs: dict[str, int] = {}


@app.route(route="slow-job", methods=["POST"])
def start_slow_job(req: func.HttpRequest) -> func.HttpResponse:
    assert req.get_json() == {"asked": True}
    job = str(len(_jobs))
    _jobs[job] = 0
    return func.HttpResponse(
        status_code=202, headers={"Location": f"/api/slow-job/{job}", "Retry-After": "0"}
    )


@app.route(route="slow-job/{job:int}", methods=["GET"])
def poll_slow_job(req: func.HttpRequest) -> func.HttpResponse:
    job = req.route_params["job"]
    _jobs[job] += 1
    if _jobs[job] < 3:
        return func.HttpResponse(
            status_code=202, headers={"Location": f"/api/slow-job/{job}", "Retry-After": "0"}
        )
    return func.HttpResponse("finished")


# HTTP bindings


@app.route(route="shapes/{kind:alpha}/{number:int:range(1,9)}/{*rest}", methods=["GET", "PUT"])
def shapes(req: func.HttpRequest) -> func.HttpResponse:
    answer = {
        "method": req.method,
        "route": dict(req.route_params),
        "params": dict(req.params),
        "header": req.headers.get("X-Thing"),
        "body": req.get_body().decode(),
        "setting": os.environ.get("SHAPES_SETTING"),
    }
    return func.HttpResponse(json.dumps(answer), mimetype="application/json", status_code=201)


@app.route(route="shapes/square/1/exact", methods=["GET"])
def exact_shape(req: func.HttpRequest) -> str:
    return "exact"


@app.route(route="broken")
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("broken on purpose")
