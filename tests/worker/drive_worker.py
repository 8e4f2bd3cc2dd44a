"""Indexes this app with the real Python worker's own library and invokes functions of it.

Run by CPython 3.13 with `azure-functions-runtime` installed (`.venv-worker`); prints one JSON
object. The worker's gRPC messages are plain objects here: the library is handed its message classes
by its caller, and takes whatever has the fields.
"""

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as worker
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native

REPOSITORY = Path(__file__).resolve().parents[2]
RPC_URL = "http://127.0.0.1:9/durabletask/"
"""Nobody listens there: a start fails, as it does when the host's RPC endpoint is down."""


class Message(SimpleNamespace):
    """A gRPC message: whatever fields it is made with."""


class Status(Message):
    """StatusResult, whose values are class attributes."""

    Success, Failure = 1, 0


class Binding(Message):
    """BindingInfo; `in` is a keyword of Python, so the library asks for it by name."""

    undefined, string, binary, stream = 0, 1, 2, 3
    inout, out = 2, 1


setattr(Binding, "in", 0)

PROTOS = SimpleNamespace(
    StatusResult=Status,
    BindingInfo=Binding,
    WorkerInitResponse=Message,
    WorkerMetadata=Message,
    RpcException=Message,
    RpcFunctionMetadata=Message,
    RpcRetryOptions=Message,
    FunctionMetadataResponse=Message,
)


async def main() -> dict[str, Any]:
    sys.path.insert(0, str(REPOSITORY))
    worker.start_threadpool_executor()
    init = Message(capabilities={}, function_app_directory=str(REPOSITORY))
    request = Message(
        request=Message(worker_init_request=init),
        properties={"host": "127.0.0.1", "protos": PROTOS},
    )
    answer = await worker.worker_init_request(request)
    if answer.result.status != Status.Success:
        return {"error": answer.result.exception.message}
    found = (await worker.functions_metadata_request(request)).function_metadata_results
    ids = {one.name: one.function_id for one in found}
    functions = {one.name: [json.loads(binding) for binding in one.raw_bindings] for one in found}
    return {"functions": functions, "invocations": await invoke_all(ids)}


async def invoke_all(ids: dict[str, str]) -> dict[str, Any]:
    client = Datum(json.dumps(build_client_binding()), "string")
    unknown = {"job_id": "edit-0", "number": 1, "deadline": "2026-01-01T00:00:00+00:00"}
    plan = {
        "show_health": [("req", build_request("GET", "health"))],
        "receive_webhook": [
            ("req", build_request("POST", "webhook/ado", b"{}")),
            ("client", client),
        ],
        "edit_job": [("context", Datum(json.dumps(build_history()), "json"))],
        "job_slots": [("context", Datum(json.dumps(build_entity()), "json"))],
        "push_branch": [("payload", Datum(json.dumps(unknown), "json"))],
    }
    return {name: await invoke(ids[name], inputs) for name, inputs in plan.items()}


async def invoke(function_id: str, inputs: list[tuple[str, Datum]]) -> dict[str, Any]:
    ok, returned, _, error, _ = await invocation_request_native("i", function_id, inputs, {})
    if not ok:
        return {"ok": False, "error": error}
    if returned.type == "http":
        value = returned.value
        return {
            "ok": True,
            "status": value["status_code"].value,
            "body": value["body"].value.decode(),
        }
    return {"ok": True, "value": returned.value}


def build_request(method: str, path: str, body: bytes = b"") -> Datum:
    return Datum(
        {
            "method": Datum(method, "string"),
            "url": Datum(f"http://127.0.0.1/gateway/{path}", "string"),
            "headers": {},
            "query": {},
            "params": {},
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def build_client_binding() -> dict[str, Any]:
    return {
        "taskHubName": "hub",
        "creationUrls": {},
        "managementUrls": {"id": "INSTANCEID"},
        "baseUrl": RPC_URL,
        "requiredQueryStringParameters": "code=x",
        "rpcBaseUrl": RPC_URL,
    }


def build_history() -> dict[str, Any]:
    budget = {"tries": 5, "first_delay_s": 2, "max_delay_s": 60}
    order = json.dumps({"comment": {}, "budget": budget})
    moment = "2026-01-01T00:00:00.000000Z"
    common = {"EventId": -1, "IsPlayed": False, "Timestamp": moment}
    instance = {"InstanceId": "edit-0", "ExecutionId": "x"}
    return {
        "history": [
            {"EventType": 12, **common},
            {
                "EventType": 0,
                "Name": "edit_job",
                "Version": "1",
                "Input": json.dumps(order),
                "OrchestrationInstance": instance,
                **common,
            },
        ],
        "input": order,
        "instanceId": "edit-0",
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
        "longRunningTimerIntervalDuration": "3.00:00:00",
        "maximumShortTimerDuration": "6.00:00:00",
    }


def build_entity() -> dict[str, Any]:
    order = {
        "instance_id": "edit-0",
        "capacity": 1,
        "lease_s": 60,
        "now": "2026-01-01T00:00:00+00:00",
    }
    operation = {"name": "acquire", "input": json.dumps(json.dumps(order)), "isSignal": False}
    return {
        "self": {"name": "job_slots", "key": "contoso"},
        "exists": False,
        "state": None,
        "batch": [operation],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main())) + "\n")
