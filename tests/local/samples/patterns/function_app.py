"""The patterns of the Durable Functions documentation, as one small app that the host's tests run."""

import logging
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="orchestrators/{function_name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def http_start(req: func.HttpRequest, client: df.DurableOrchestrationClient):
    body = req.get_body()
    instance_id = await client.start_new(
        req.route_params["function_name"],
        req.params.get("id"),
        req.get_json() if body else None,
    )
    logging.info("started %s", instance_id)
    return client.create_check_status_response(req, instance_id)


@app.orchestration_trigger(context_name="context")
def chaining(context: df.DurableOrchestrationContext):
    first = yield context.call_activity("hello", "Tokyo")
    second = yield context.call_activity("hello", "Seattle")
    third = yield context.call_activity("hello", "London")
    return [first, second, third]


@app.activity_trigger(input_name="city")
def hello(city: str) -> str:
    return f"Hello {city}!"
