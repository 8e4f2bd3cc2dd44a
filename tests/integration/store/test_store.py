import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import StatementError

from shared.domain.clarification import Clarification, ClarifyingQuestion, ClarifyingRound
from shared.domain.errors import JobError, StoreError, Verdict
from shared.domain.states import JobStatus, VariantStatus
from shared.store import artifacts, audit, effects, jobs, variants
from shared.store.audit import AuditAction
from shared.store.database import Database
from shared.store.effects import EffectState
from shared.store.tables import ARTIFACTS
from tests.integration.store.rows import NOW, REF, a_job, a_variant
from tests.local.functions_host.hosting import REPOSITORY


def test_what_an_author_made_clear_is_kept_beside_the_intent(database: Database) -> None:
    question = ClarifyingQuestion("Where?", ("Only a.css",), likeliest=1)
    asked = Clarification((ClarifyingRound(question, 3, answer="Only a.css"),))
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
        jobs.keep_clarification(connection, a_job().id, asked, at=NOW)
    with database.read() as connection:
        assert jobs.load_job(connection, a_job().id) == a_job(clarification=asked)


def test_a_second_insert_finds_the_first(database: Database) -> None:
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
        assert jobs.insert_job(connection, a_job(intent="something else")) == a_job()


def test_a_rejected_job_is_queued_again_as_it_is_asked_now(database: Database) -> None:
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job(status=JobStatus.REJECTED))
        again = a_job(intent="something better")
        assert jobs.insert_job(connection, again) == again
        assert jobs.load_job(connection, again.id) == again


def test_a_job_moves_only_where_the_table_allows(database: Database) -> None:
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
        running = jobs.move_job(connection, a_job().id, JobStatus.RUNNING, at=NOW, started_at=NOW)
        assert (running.status, running.started_at) == (JobStatus.RUNNING, NOW)
        jobs.move_job(connection, a_job().id, JobStatus.RUNNING, at=NOW)
        jobs.move_job(connection, a_job().id, JobStatus.SUCCESS, at=NOW)
        with pytest.raises(JobError, match=r"job\.transition_refused"):
            jobs.move_job(connection, a_job().id, JobStatus.RUNNING, at=NOW)
        with pytest.raises(JobError, match=r"job\.unknown"):
            jobs.move_job(connection, "edit-none", JobStatus.RUNNING, at=NOW)


def test_jobs_are_listed_newest_first(database: Database) -> None:
    with database.transaction() as connection:
        for comment_id in (1, 3, 2):
            jobs.insert_job(connection, a_job(comment_id))
        jobs.move_job(connection, a_job(2).id, JobStatus.RUNNING, at=NOW)
    with database.read() as connection:
        listed = [job.comment.comment_id for job in jobs.load_jobs(connection, limit=2)]
        of_pull_request = jobs.load_jobs_of_pull_request(
            connection,
            organisation="contoso",
            repository_id=REF.repository_id,
            pull_request_id=7,
            thread_id=5,
        )
        assert listed == [3, 2]
        assert [job.comment.comment_id for job in of_pull_request] == [3, 2, 1]
        assert len(jobs.load_jobs(connection, limit=9, status=JobStatus.RUNNING)) == 1
        assert len(jobs.load_jobs(connection, limit=9, before=NOW + timedelta(seconds=3))) == 2
        assert jobs.count_by_status(connection) == {JobStatus.QUEUED: 2, JobStatus.RUNNING: 1}


def test_only_jobs_that_have_not_ended_can_be_cancelled(database: Database) -> None:
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job(1))
        jobs.insert_job(connection, a_job(2, status=JobStatus.SUCCESS))
        jobs.request_cancel(connection, [a_job(1).id, a_job(2).id], at=NOW)
        flags = [jobs.load_job(connection, a_job(k).id) for k in (1, 2)]
        assert [job is not None and job.cancel_requested for job in flags] == [True, False]


def test_the_database_itself_refuses_an_unknown_state(database: Database) -> None:
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
    with (
        pytest.raises(StoreError, match=r"store\.refused") as caught,
        database.transaction() as connection,
    ):
        jobs.update_job(connection, a_job().id, at=NOW, status="lost")
    assert caught.value.verdict is Verdict.BUG
    assert "lost" not in repr(caught.value) + str(caught.value.facts)


def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises(StatementError), database.transaction() as connection:
        jobs.insert_job(connection, a_job(created_at=NOW.replace(tzinfo=None)))


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(JobError), database.transaction() as connection:  # noqa: PT012 - both steps
        jobs.insert_job(connection, a_job())
        jobs.move_job(connection, "edit-none", JobStatus.RUNNING, at=NOW)
    with database.read() as connection:
        assert jobs.load_job(connection, a_job().id) is None


def test_variants_keep_their_rows_and_their_order(database: Database) -> None:
    rows = [a_variant(2), a_variant(1)]
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
        variants.insert_variants(connection, rows)
        variants.move_variant(connection, a_job().id, 1, VariantStatus.DRAFTING, at=NOW)
        variants.insert_variants(connection, rows)
        loaded = variants.load_variants(connection, a_job().id)
    assert [row.number for row in loaded] == [1, 2]
    assert [row.status for row in loaded] == [VariantStatus.DRAFTING, VariantStatus.PENDING]


def test_variants_of_several_jobs_come_in_one_query(database: Database) -> None:
    first, second, bare = a_job(1), a_job(2), a_job(3)
    with database.transaction() as connection:
        for job in (first, second, bare):
            jobs.insert_job(connection, job)
        variants.insert_variants(connection, [a_variant(2, first), a_variant(1, first)])
        variants.insert_variants(connection, [a_variant(1, second)])
        ids = [second.id, first.id, bare.id]
        found = variants.load_variants_of(connection, ids)
        assert found == {job_id: variants.load_variants(connection, job_id) for job_id in ids}
        assert variants.load_variants_of(connection, []) == {}


def test_a_variant_that_has_ended_never_pushes(database: Database) -> None:
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
        variants.insert_variants(connection, [a_variant(1)])
        variants.move_variant(connection, a_job().id, 1, VariantStatus.TIMEOUT, at=NOW)
        with pytest.raises(JobError, match=r"variant\.transition_refused"):
            variants.move_variant(connection, a_job().id, 1, VariantStatus.PUSHING, at=NOW)


def test_the_first_of_two_equal_results_keeps_it(database: Database) -> None:
    def claim(number: int) -> int | None:
        with database.transaction() as connection:
            return variants.claim_digest(
                connection, a_job().id, number, "d" * 64, artifact="sha256:x", at=NOW
            )

    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
        variants.insert_variants(connection, [a_variant(k) for k in (1, 2, 3)])
    assert [claim(2), claim(1), claim(2)] == [None, 2, None]
    with database.transaction() as connection:
        variants.move_variant(connection, a_job().id, 2, VariantStatus.FAILED, at=NOW)
    assert claim(3) is None


def test_an_effect_is_new_then_begun_then_done(database: Database) -> None:
    with database.transaction() as connection:
        assert effects.begin(connection, "edit-1", "push/v1", at=NOW).state is EffectState.NEW
        assert effects.begin(connection, "edit-1", "push/v1", at=NOW).state is EffectState.BEGUN
        effects.finish(connection, "edit-1", "push/v1", {"commit_id": "a"}, at=NOW)
        done = effects.begin(connection, "edit-1", "push/v1", at=NOW)
        assert (done.state, done.result) == (EffectState.DONE, {"commit_id": "a"})
        effects.forget(connection, "edit-1", "push/v1")
        assert effects.begin(connection, "edit-1", "push/v1", at=NOW).state is EffectState.DONE


def test_an_attempt_that_did_nothing_can_be_taken_back(database: Database) -> None:
    with database.transaction() as connection:
        effects.begin(connection, "edit-1", "answer", at=NOW)
        effects.forget(connection, "edit-1", "answer")
        assert effects.begin(connection, "edit-1", "answer", at=NOW).state is EffectState.NEW


def test_the_audit_log_keeps_its_order(database: Database) -> None:
    with database.transaction() as connection:
        for action in (AuditAction.JOB_ADMITTED, AuditAction.JOB_CONCLUDED):
            audit.record(
                connection, job_id="edit-1", actor_id="u", action=action, at=NOW, facts={"n": 1}
            )
        entries = audit.load(connection, "edit-1")
    assert [entry.action for entry in entries] == ["job_admitted", "job_concluded"]
    assert entries[0].facts == {"n": 1}


def test_an_artifact_comes_back_whole_and_once(database: Database) -> None:
    data = "größer\r\n".encode() * 5000
    with database.transaction() as connection:
        first = artifacts.put(connection, data, media_type="text/plain", at=NOW, expires_at=NOW)
        later = NOW + timedelta(days=1)
        assert first == artifacts.put(
            connection, data, media_type="text/plain", at=NOW, expires_at=later
        )
        assert artifacts.delete_expired(connection, NOW, 10) == 0
        assert artifacts.get(connection, first) == data
        assert artifacts.delete_expired(connection, later, 10) == 1
        with pytest.raises(StoreError, match=r"store\.artifact_missing"):
            artifacts.get(connection, first)


def test_a_damaged_artifact_is_noticed(database: Database) -> None:
    with database.transaction() as connection:
        reference = artifacts.put(
            connection, b"data", media_type="text/plain", at=NOW, expires_at=NOW
        )
        connection.execute(update(ARTIFACTS).values(data=b"\0"))
        with pytest.raises(StoreError, match=r"store\.artifact_damaged"):
            artifacts.get(connection, reference)


def test_a_database_that_does_not_answer_is_a_reason_to_try_again(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(StoreError, match=r"store\.unavailable"):
        database.check()


def test_the_summary_has_one_row_for_each_job_and_none_of_its_words(database: Database) -> None:
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job(1, intent="planted words"))
        jobs.insert_job(connection, a_job(2))
        variants.insert_variants(connection, [a_variant(k, a_job(1)) for k in (1, 2, 3)])
        for number, status in ((1, VariantStatus.TIMEOUT), (2, VariantStatus.CANCELLED)):
            variants.move_variant(
                connection,
                *(a_job(1).id, number, status),
                at=NOW,
                tokens_in=10 * number,
                llm_duration_ms=number,
            )
    with database.read() as connection:
        query = text("SELECT * FROM job_summary ORDER BY id = :id DESC")
        rows = [dict(row) for row in connection.execute(query, {"id": a_job(1).id}).mappings()]
    assert [row["variants"] for row in rows] == [3, 0]
    assert {name: rows[0][name] for name in rows[0] if name.endswith("_variants")} == {
        "requested_variants": 3,
        "successful_variants": 0,
        "duplicate_variants": 0,
        "failed_variants": 1,
        "cancelled_variants": 1,
    }
    assert (rows[0]["tokens_in"], rows[0]["longest_llm_duration_ms"]) == (30, 2)
    assert rows[0]["cost_micro_usd"] is None  # unknown is not nothing
    assert "planted" not in str(rows)


def test_whoever_uses_sqlite_does_not_load_the_driver_of_postgres(tmp_path: Path) -> None:
    program = (
        "import sys; from shared.store.database import Database;"
        f"d = Database('sqlite:///{tmp_path / 'r.db'}'); d.upgrade(); d.dispose();"
        "print('psycopg' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "True"]
