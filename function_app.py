"""The table of contents of the app: every HTTP route, and the blueprints of what is durable."""

import azure.durable_functions as df
import azure.functions as func

import activities
import orchestrators
from orchestrators.client import DurableJobs
from shared.gateway import doctor, health, measure, pages, timers, webhook
from shared.telemetry.exporting import start_exporting
from shared.telemetry.redact import clean_all_logs

clean_all_logs()
start_exporting()

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(orchestrators.blueprint)
app.register_functions(activities.blueprint)


@app.route(route="webhook/ado", methods=["POST"])
@app.durable_client_input(client_name="client")
async def receive_webhook(
    req: func.HttpRequest, client: df.DurableOrchestrationClient, context: func.Context
) -> func.HttpResponse:
    """Take a delivery of an Azure DevOps service hook."""
    trace = context.trace_context.trace_parent
    return await webhook.receive_delivery(req, DurableJobs(client), trace)


@app.route(route="health", methods=["GET"])
async def show_health(req: func.HttpRequest) -> func.HttpResponse:
    """Say that the process lives; asks nobody."""
    return health.show_health(req)


@app.route(route="ready", methods=["GET"])
@app.durable_client_input(client_name="client")
async def show_readiness(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Say whether everything a job needs can be reached."""
    return await health.show_readiness(req, DurableJobs(client))


@app.route(route="metrics", methods=["GET"])
def show_metrics(req: func.HttpRequest) -> func.HttpResponse:
    """Show what this process has measured, as Prometheus reads it."""
    return measure.show_metrics(req)


@app.timer_trigger(arg_name="timer", schedule="0 * * * * *")
def beat(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Say that the app runs, and what waits, every minute."""
    timers.beat()


@app.timer_trigger(arg_name="timer", schedule="0 7-59/15 * * * *")
def run_canary(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Have one command carried out from end to end, four times an hour, where settings say so."""
    timers.run_canary()


@app.timer_trigger(arg_name="timer", schedule="0 */15 * * * *")
@app.durable_client_input(client_name="client")
async def watch_hooks(
    timer: func.TimerRequest,  # noqa: ARG001 - the binding's name
    client: df.DurableOrchestrationClient,
) -> None:
    """Tell how Azure DevOps sees the service hooks, and start what they missed, 4 times an hour."""
    await timers.watch_hooks(DurableJobs(client))


@app.timer_trigger(arg_name="timer", schedule="0 4-59/10 * * * *")
@app.durable_client_input(client_name="client")
async def reconcile(
    timer: func.TimerRequest,  # noqa: ARG001 - the binding's name
    client: df.DurableOrchestrationClient,
) -> None:
    """Bring together what the records and the task hub say of jobs, every ten minutes."""
    await timers.reconcile(DurableJobs(client))


@app.timer_trigger(arg_name="timer", schedule="0 0 6 * * *")
def watch_secrets(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Tell of secrets that expire soon, every morning."""
    timers.watch_secrets()


@app.timer_trigger(arg_name="timer", schedule="0 10 6 * * *")
def watch_rights(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Tell what the agent may do in its repositories, every morning."""
    timers.watch_rights()


@app.timer_trigger(arg_name="timer", schedule="0 17 3 * * *")
def apply_retention(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Delete the records whose time is over, every night."""
    timers.apply_retention()


@app.route(route="doctor", methods=["GET"])
@app.durable_client_input(client_name="client")
async def show_doctor(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Look at everything that the app needs, and say what to do."""
    return await doctor.show_doctor(req, DurableJobs(client))


@app.route(route="jobs", methods=["GET"])
def show_jobs(req: func.HttpRequest) -> func.HttpResponse:
    """List the latest jobs."""
    return pages.show_jobs(req)


@app.route(route="jobs/{job_id}", methods=["GET"])
def show_job(req: func.HttpRequest) -> func.HttpResponse:
    """Show one job with its variants."""
    return pages.show_job(req)


@app.route(route="jobs/{job_id}/variants/{number:int}", methods=["GET"])
def show_variant(req: func.HttpRequest) -> func.HttpResponse:
    """Show one variant with its diff."""
    return pages.show_variant(req)
