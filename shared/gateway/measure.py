"""Counts requests, and serves what this process has measured to Prometheus."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import azure.functions as func

from shared.composition import compose
from shared.domain.errors import StoreError
from shared.gateway.access import StrangerError, require_access
from shared.gateway.failures import refuse_throttled
from shared.settings import SettingsError

_P = ParamSpec("_P")
_Handler = Callable[Concatenate[func.HttpRequest, _P], func.HttpResponse]
_AsyncHandler = Callable[Concatenate[func.HttpRequest, _P], Awaitable[func.HttpResponse]]
_FAILED = 500


def counted(route: str) -> Callable[[_Handler[_P]], _Handler[_P]]:
    """Count the requests to a route, given as its template."""

    def count(handle: _Handler[_P]) -> _Handler[_P]:
        @wraps(handle)
        def answer(
            request: func.HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs
        ) -> func.HttpResponse:
            status = _FAILED
            try:
                response = handle(request, *args, **kwargs)
                status = response.status_code
                return response
            finally:
                _count(request, route, status)

        return answer

    return count


def counted_async(route: str) -> Callable[[_AsyncHandler[_P]], _AsyncHandler[_P]]:
    """Count the requests to a route that is answered on the event loop."""

    def count(handle: _AsyncHandler[_P]) -> _AsyncHandler[_P]:
        @wraps(handle)
        async def answer(
            request: func.HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs
        ) -> func.HttpResponse:
            status = _FAILED
            try:
                response = await handle(request, *args, **kwargs)
                status = response.status_code
                return response
            finally:
                _count(request, route, status)

        return answer

    return count


def _count(request: func.HttpRequest, route: str, status: int) -> None:
    from shared.telemetry.metrics import HTTP_REQUESTS

    HTTP_REQUESTS.record(
        1, method=str(request.method), route=route, status_code=status, service="gateway"
    )


@counted("/gateway/metrics")
def show_metrics(request: func.HttpRequest) -> func.HttpResponse:
    """Answer the measurements to whoever may see the pages."""
    try:
        require_access(request)
    except StrangerError as error:
        if error.wait_s is not None:
            return refuse_throttled(error.wait_s)
        return func.HttpResponse(status_code=401, headers={"WWW-Authenticate": "Bearer"})
    except SettingsError:
        return func.HttpResponse("The settings of the app cannot be used.", status_code=503)
    from shared.jobs.heartbeat import measure_backlog
    from shared.telemetry.exposition import CONTENT_TYPE, write_exposition

    try:
        measure_backlog(compose())
    except StoreError:  # what it last was is no news; the other measurements are
        _forget_backlog()
    return func.HttpResponse(
        write_exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    )


def _forget_backlog() -> None:
    from shared.telemetry.measured import MEASURED
    from shared.telemetry.metrics import OLDEST_JOB, QUEUE_DEPTH, RUNNING_JOBS

    for metric in (QUEUE_DEPTH, RUNNING_JOBS, OLDEST_JOB):
        MEASURED.forget(metric.name)
