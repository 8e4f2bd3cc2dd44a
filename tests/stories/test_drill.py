"""The drill in small: everything is lost in the middle of jobs. `make drill` plays all of it."""

from pathlib import Path

import psycopg

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from local.drill.checks import Asked, check_world
from local.drill.report import write_report
from local.drill.stage import PULL_REQUEST, Stage
from local.drill.story import Keys, Size, play_with_backup
from local.postgres import PostgresCluster
from shared.domain.clock import read_utc_clock
from shared.jobs.effects import list_visible
from tests.conftest import RecordFigure

SIZE = Size(jobs=2, late=1)


def test_what_is_lost_in_the_middle_of_jobs_comes_back_once(
    azure_devops: RunningAzureDevOps,
    postgres_cluster: PostgresCluster,
    tmp_path: Path,
    record_property: RecordFigure,
) -> None:
    stage = Stage(azure_devops, postgres_cluster, tmp_path, running_jobs=2)
    try:
        restored = play_with_backup(stage, SIZE, Keys.make(tmp_path), print)
        assert restored.faults == []
        assert restored.reports["rebuild"]["reopened"] >= 1
        # whatever a job does where people see it is looked for first when records are old
        keys = {str(row["key"]) for row in stage.read("effects")}
        assert keys <= {*list_visible(range(1, SIZE.variants + 1)), "telemetry", "judge/1"}
        check_that_faults_are_found(stage, restored.asked)
    finally:
        stage.close()
    report = write_report([restored], at=read_utc_clock(), postgres="", took_s=0)
    assert report.count(": passed") == 1
    record_property(
        "figure",
        f"everything lost in the middle of jobs: back from a backup in {restored.recovery_s:.1f} s;"
        " 0 lost, 0 doubled",
    )


def check_that_faults_are_found(stage: Stage, asked: Asked) -> None:
    first, second, third = list(asked.edits)[:3]
    agent = Person(stage.azure_devops.organisation_url, seed.CODE_AGENT.pat)
    comments = stage.jamal.read_thread(PULL_REQUEST, first)["comments"]
    final = next(one["content"] for one in comments if "kind=final" in one["content"])
    path = f"pullRequests/{PULL_REQUEST}/threads/{first}/comments"
    agent.call_repository("POST", path, {"content": final, "commentType": 1})
    with psycopg.connect(stage.database_url) as connection:
        lose = "DELETE FROM code_agent.jobs WHERE thread_id = %s"
        connection.execute(lose, (second,))
    wanted = asked.edits | {third: asked.edits[third] + 1}
    found = check_world(stage, Asked(wanted))
    threads = sorted({int(fault.split()[1].rstrip(":")) for fault in found if "thread " in fault})
    assert threads == sorted([first, second, third]), found
