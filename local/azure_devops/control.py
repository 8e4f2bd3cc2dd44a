"""What tests and demonstrations tell the stand-in, below `/_standin/`.

GET, DELETE  calls      the log of the agent's REST calls
GET, POST, DELETE faults    {"rate", "seed", "kinds", "retry_after_s", "delay_s"}
GET, POST, DELETE hold      {"write_number", "moment": "before" | "after"}
POST         builds     {"repositoryId", "branch", "status"}: a build ended
"""

from typing import Any

from aiohttp import web

from local.azure_devops.faults import DEFAULT_KINDS, FaultKind, Faults, Hold
from local.azure_devops.organisation import Organisation


async def handle(  # noqa: C901 - a table of controls
    organisation: Organisation, request: web.Request, name: str
) -> web.Response:
    """Answer one request."""
    body: Any = await request.json() if request.method == "POST" else None
    try:
        match (request.method, name):
            case ("GET", "calls"):
                return web.json_response(organisation.calls.to_plain())
            case ("DELETE", "calls"):
                organisation.calls.clear()
            case ("GET", "faults"):
                return web.json_response(_write_faults(organisation.faults))
            case ("POST", "faults"):
                organisation.faults = _read_faults(body)
            case ("DELETE", "faults"):
                organisation.faults = Faults()
            case ("GET", "hold"):
                hold = organisation.hold
                return web.json_response({"reached": hold is not None and hold.reached.is_set()})
            case ("POST", "hold"):
                organisation.hold = Hold(int(body["write_number"]), str(body["moment"]))
            case ("DELETE", "hold"):
                if organisation.hold is not None:
                    organisation.hold.released.set()
                organisation.hold = None
            case ("POST", "builds"):
                _announce_build(organisation, body)
            case _:
                return web.json_response({"error": "no such control"}, status=404)
    except (KeyError, ValueError, TypeError) as error:
        return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
    return web.json_response({})


def _read_faults(body: dict[str, Any]) -> Faults:
    kinds = [FaultKind(kind) for kind in body.get("kinds", DEFAULT_KINDS)]
    return Faults(
        rate=float(body.get("rate", 0.0)),
        seed=int(body.get("seed", 0)),
        kinds=kinds,
        retry_after_s=float(body.get("retry_after_s", 0.05)),
        delay_s=float(body.get("delay_s", 0.05)),
    )


def _write_faults(faults: Faults) -> dict[str, Any]:
    return {
        "rate": faults.rate,
        "seed": faults.seed,
        "kinds": [str(kind) for kind in faults.kinds],
        "count": faults.count,
        "made": list(faults.made),
    }


def _announce_build(organisation: Organisation, body: dict[str, Any]) -> None:
    organisation.announce(
        "build",
        repositoryId=str(body["repositoryId"]),
        userId=organisation.records.all("user")[0]["id"],
        name=f"refs/heads/{body['branch']}",
        status=str(body.get("status", "succeeded")),
        buildId=organisation.records.next_number("build"),
    )
