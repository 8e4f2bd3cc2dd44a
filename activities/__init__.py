"""One file per activity, named for its verb.

Each decodes its input, calls a body in `shared.jobs` and encodes the result as an envelope. Bodies
are imported when an activity first runs: the webhook's cold start does not pay for them.
"""

import azure.durable_functions as df

from activities.admit_command import admit_command
from activities.announce_job import announce_job
from activities.answer_command import answer_command
from activities.ask_clarification import ask_clarification
from activities.close_thread import close_thread
from activities.conclude_job import conclude_job
from activities.draft_patch import draft_patch
from activities.end_clarification import end_clarification
from activities.judge_request import judge_request
from activities.load_context import load_context
from activities.observed import observe
from activities.open_draft_pull_request import open_draft_pull_request
from activities.push_branch import push_branch
from activities.read_answer import read_answer
from activities.reply_result import reply_result
from activities.report_progress import report_progress
from activities.set_pull_request_status import set_pull_request_status
from activities.wake_jobs import wake_jobs
from activities.warm_prompt import warm_prompt

blueprint = df.Blueprint()
for _activity in (
    admit_command,
    announce_job,
    answer_command,
    ask_clarification,
    close_thread,
    conclude_job,
    draft_patch,
    end_clarification,
    judge_request,
    load_context,
    open_draft_pull_request,
    push_branch,
    read_answer,
    reply_result,
    report_progress,
    set_pull_request_status,
    warm_prompt,
):
    blueprint.activity_trigger(input_name="payload")(observe(_activity))
blueprint.activity_trigger(input_name="payload")(
    blueprint.durable_client_input(client_name="client")(wake_jobs)
)
