"""Small simulated worlds: one calibration by hand, and resources in which nothing else bounds."""

from dataclasses import replace
from typing import Any

from ops.capacity.calibration import Calibration
from ops.capacity.flow import list_steps
from ops.capacity.scenario import Load, Resources, build_resources
from shared.domain.names import ActivityName

CALIBRATION = Calibration(
    measured_on="by hand",
    webhook_cpu_s=0.004,
    episode_s=0.001,
    steps={str(step): (0.01, 0.012) for step in (*list_steps(3), ActivityName.WAKE_JOBS)},
    host_share=1.0,
    together=1.0,
    ado_call_s=0.001,
    model_turn_s=0.001,
)
LOAD = Load(jobs_per_hour=360, variants=2, model_s=5.0, hours=0.5)


def build_plenty(**changes: Any) -> Resources:
    """Build resources that this load never uses up, and change some."""
    plenty = replace(
        build_resources("flex", {}),
        instances=4,
        max_instances=4,
        threads=100,
        activity_slots=100,
        orchestrator_slots=100,
        job_slots=1000,
        pool_size=100,
        db_connections=1000,
        ado_tstu=1e9,
        model_requests=1e9,
        model_input_tokens=1e12,
        model_output_tokens=1e12,
    )
    return replace(plenty, **changes)
