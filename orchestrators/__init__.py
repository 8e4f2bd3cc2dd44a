"""The deterministic part: what happens in which order. No I/O, no clock, no settings.

Orchestrators and entities are plain functions, registered here under their durable names.
"""

import azure.durable_functions as df

from orchestrators.circuits import model_circuit
from orchestrators.clarify import open_question
from orchestrators.edit_job import edit_job
from orchestrators.produce_variant import produce_variant
from orchestrators.slots import job_slots

blueprint = df.Blueprint()
blueprint.orchestration_trigger(context_name="context")(edit_job)
blueprint.orchestration_trigger(context_name="context")(produce_variant)
blueprint.entity_trigger(context_name="context")(job_slots)
blueprint.entity_trigger(context_name="context")(open_question)
blueprint.entity_trigger(context_name="context")(model_circuit)
