"""Times of the app's own steps, as `python -m benchmarks.load --calibrate` has measured them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("calibration.json")


class CalibrationError(ValueError):
    """The file cannot be read as a calibration; the message says why."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one quiet machine took for a job that had it for itself. Times are in seconds."""

    measured_on: str
    """Date and machine."""
    webhook_cpu_s: float
    """From the first byte of a delivery to its 202."""
    episode_s: float
    """One run of an orchestrator or entity by the host, until it is committed."""
    steps: Mapping[str, tuple[float, ...]]
    """Activity to the times that it took, its calls to local stand-ins included."""
    host_share: float
    """Part of these times in which the host's process computed; one step computes on one core."""
    together: float
    """How much of a core several threads of the host get at once: they share its interpreter."""
    ado_call_s: float
    """Processor time of the Azure DevOps stand-in for one call."""
    model_turn_s: float
    """Processor time of the model stand-in for one turn."""


def read_calibration(path: Path = FILE) -> Calibration:
    """Read a calibration.

    Raises:
        CalibrationError: there is none, or it is not whole.
    """
    try:
        plain: Any = json.loads(path.read_text("utf-8"))
        calibration = Calibration(
            measured_on=str(plain["measured_on"]),
            webhook_cpu_s=float(plain["webhook_cpu_s"]),
            episode_s=float(plain["episode_s"]),
            steps={str(k): tuple(map(float, v)) for k, v in plain["steps"].items()},
            host_share=float(plain["host_share"]),
            together=float(plain["together"]),
            ado_call_s=float(plain["ado_call_s"]),
            model_turn_s=float(plain["model_turn_s"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationError(f"{path}: {type(error).__name__}: {error}") from None
    if not all(calibration.steps.values()) or min(map(min, calibration.steps.values())) < 0:
        raise CalibrationError(f"{path}: each step needs times, none of them below 0")
    return calibration
