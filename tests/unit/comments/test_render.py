import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot

import shared.comments.render
from shared.comments.marker import (
    CommentKind,
    JobEnd,
    read_end,
    read_marker,
    write_end,
    write_marker,
)
from shared.comments.render import LANGUAGES, CommentWriter
from shared.comments.view import JobView, VariantView
from shared.domain.clarification import (
    AnswerFault,
    Clarification,
    ClarificationEnd,
    ClarifyingQuestion,
    ClarifyingRound,
)
from shared.domain.errors import Verdict
from shared.domain.model_use import ModelUse
from shared.domain.states import JobStatus, VariantStatus
from shared.llm.provider import PROVIDER_FAULTS, ModelCode, fail_at_provider
from shared.policy.vagueness import OptionKind, Surroundings, VagueReason, find_question

DONE = VariantView(
    number=1,
    title="The smallest change that does what was asked.",
    status=VariantStatus.SUCCESS,
    pull_request_id=12,
    pull_request_url="http://ado/contoso/P/_git/r/pullrequest/12",
    files_changed=1,
    lines_added=2,
    lines_deleted=1,
    duration_s=3.25,
    note="Changed the look of the button (css/site.css).",
)
TWIN = VariantView(number=2, title="t", status=VariantStatus.DUPLICATE, twin=1, duration_s=2.0)
FAILED = VariantView(
    number=3,
    title="t",
    status=VariantStatus.FAILED,
    duration_s=125.0,
    error_code="ado.unavailable",
    error_message="Azure DevOps is not available.",
    verdict="retry",
)
JOB = JobView(
    id="edit-0123456789abcdef0123456789abcdef",
    correlation_id="c0ffee",
    intent="make all buttons | red <b>",
    status=JobStatus.PARTIAL_SUCCESS,
    provider="stub",
    page_url="http://host/gateway/jobs/edit-0123456789abcdef0123456789abcdef",
    variants=(DONE, TWIN, FAILED),
    duration_s=130.0,
)


@pytest.fixture(params=LANGUAGES)
def writer(request: pytest.FixtureRequest) -> CommentWriter:
    return CommentWriter(request.param)


def test_the_status_comment_shows_each_variant_on_a_row() -> None:
    assert CommentWriter("en").write_status(JOB) == snapshot("""\
<!-- code-agent job=edit-0123456789abcdef0123456789abcdef kind=status -->
**Code Agent** has ended: 🟡 partly done.

> make all buttons \\| red &lt;b&gt;

| Variant | State | Draft PR | Lines | Time | Note |
|---|---|---|---|---|---|
| 1 | ✅ done | [!12](http://ado/contoso/P/_git/r/pullrequest/12) | +2 −1 | 3.2 s | Changed the look of the button \\(css/site.css\\). |
| 2 | ♻️ duplicate | – | – | 2.0 s | the same as variant 1 |
| 3 | ❌ failed | – | – | 2 min 5 s | Azure DevOps is not available. |

[Progress](http://host/gateway/jobs/edit-0123456789abcdef0123456789abcdef) · `edit-0123456789abcdef0123456789abcdef`
""")


def test_the_final_reply_compares_what_succeeded_and_explains_what_did_not() -> None:
    assert CommentWriter("en").write_final(JOB) == snapshot("""\
<!-- code-agent job=edit-0123456789abcdef0123456789abcdef kind=final -->
**1 of 3 variants** is ready as a draft pull request into your branch.

| Variant | Draft PR | Files | Lines | What it does |
|---|---|---|---|---|
| 1 | [!12](http://ado/contoso/P/_git/r/pullrequest/12) | 1 | +2 −1 | Changed the look of the button \\(css/site.css\\). |

Complete the one you like; abandon the others. Nothing reaches your branch by itself.

- Variant 2: ♻️ duplicate. It came out the same as variant 1.
- Variant 3: ❌ failed (`ado.unavailable`, infrastructure). Azure DevOps is not available. Write `/retry` to try again. If it stays so, give the operators the correlation id.

Job `edit-0123456789abcdef0123456789abcdef` · correlation `c0ffee` · 2 min 10 s · [details](http://host/gateway/jobs/edit-0123456789abcdef0123456789abcdef)
<!-- code-agent-end status=partial_success v1=success v2=duplicate v3=failed -->
""")


def test_the_final_reply_in_german() -> None:
    assert CommentWriter("de").write_final(JOB) == snapshot("""\
<!-- code-agent job=edit-0123456789abcdef0123456789abcdef kind=final -->
**1 von 3 Varianten** liegt als Entwurf in Ihren Branch vor.

| Variante | Entwurf | Dateien | Zeilen | Was sie tut |
|---|---|---|---|---|
| 1 | [!12](http://ado/contoso/P/_git/r/pullrequest/12) | 1 | +2 −1 | Changed the look of the button \\(css/site.css\\). |

Schließen Sie ab, was Ihnen gefällt; verwerfen Sie den Rest. Von selbst gelangt nichts in Ihren Branch.

- Variante 2: ♻️ gleich. Sie ist gleich wie Variante 1.
- Variante 3: ❌ fehlgeschlagen (`ado.unavailable`, Infrastruktur). Azure DevOps hat nicht getan, worum ich gebeten habe. `/retry` versucht es noch einmal. Bleibt es so, geben Sie den Betreibern die Korrelations-ID.

Auftrag `edit-0123456789abcdef0123456789abcdef` · Korrelation `c0ffee` · 2 min 10 s · [Einzelheiten](http://host/gateway/jobs/edit-0123456789abcdef0123456789abcdef)
<!-- code-agent-end status=partial_success v1=success v2=duplicate v3=failed -->
""")


@pytest.mark.parametrize(
    ("verdict", "cause"),
    [
        (Verdict.USER, "user"),
        (Verdict.POLICY, "rule of the operators"),
        (Verdict.RETRY, "infrastructure"),
        (Verdict.BUG, "infrastructure"),
    ],
)
def test_a_failed_variant_has_one_line_with_what_an_operator_looks_up(
    verdict: Verdict, cause: str
) -> None:
    row = replace(FAILED, error_code="model.cut_off", error_message="Too\nlong.", verdict=verdict)
    text = CommentWriter("en").write_final(replace(JOB, variants=(row,)))
    lines = [line for line in text.splitlines() if line.startswith("- Variant 3: ")]
    assert len(lines) == 1
    assert lines[0].startswith(f"- Variant 3: ❌ failed (`model.cut_off`, {cause}). Too long. ")


def test_the_description_of_a_draft_says_who_made_it() -> None:
    assert CommentWriter("en").write_description(JOB, DONE, 7) == snapshot("""\
<!-- code-agent job=edit-0123456789abcdef0123456789abcdef kind=pull-request -->
Variant 1 of 3 for !7: The smallest change that does what was asked.

```text
make all buttons | red <b>
```

Changed the look of the button \\(css/site.css\\).

| | |
|---|---|
| Changes | 1 file, +2 −1 |
| Made by | Code Agent, provider `stub` (no model was asked) |
| Job | [edit-0123456789abcdef0123456789abcdef](http://host/gateway/jobs/edit-0123456789abcdef0123456789abcdef) · `c0ffee` |

Complete this draft to put the change into your branch, or abandon it. It was made by a machine: review it.
""")


def test_a_refusal_says_what_to_do_next() -> None:
    text = CommentWriter("en").write_refusal("edit-0", "c0ffee", "permission.denied", "No.")
    assert text == snapshot("""\
<!-- code-agent job=edit-0 kind=answer -->
**Code Agent** did not start: No.

Ask the operators of the agent to add you to CODE_AGENT_ALLOWED_USERS or CODE_AGENT_ALLOWED_GROUPS. I say this once in this pull request.

`permission.denied` · correlation `c0ffee`
""")


def test_every_comment_begins_with_its_marker(writer: CommentWriter) -> None:
    texts = {
        CommentKind.STATUS: writer.write_status(JOB),
        CommentKind.FINAL: writer.write_final(JOB),
        CommentKind.ANSWER: writer.write_help(JOB.id, default_variants=3, max_variants=10),
        CommentKind.PULL_REQUEST: writer.write_description(JOB, DONE, 7),
    }
    for kind, text in texts.items():
        assert text.startswith(write_marker(JOB.id, kind) + "\n")
    question = writer.write_question(ASKED, number=2, most=3)
    assert question.startswith(write_marker(JOB.id, CommentKind.QUESTION, 2) + "\n")


def test_the_final_reply_tells_a_program_how_the_job_ended(writer: CommentWriter) -> None:
    text = writer.write_final(replace(JOB, status=JobStatus.PARTIAL_SUCCESS))
    assert read_marker(text) == (JOB.id, CommentKind.FINAL)
    assert read_end(text) == JobEnd(
        JobStatus.PARTIAL_SUCCESS,
        {1: VariantStatus.SUCCESS, 2: VariantStatus.DUPLICATE, 3: VariantStatus.FAILED},
    )
    forged = write_end(JobEnd(JobStatus.FAILED, {1: VariantStatus.FAILED}))
    assert read_end(f"{forged}\n{text}") == read_end(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- code-agent-end status=running v1=success -->",
        "<!-- code-agent-end status=success v1=drafting -->",
        "<!-- code-agent-end status=won -->",
        "> <!-- code-agent-end status=success v1=success -->",
    ],
)
def test_what_tells_of_no_end_is_none(text: str) -> None:
    assert read_end(text) is None


@pytest.mark.parametrize("status", list(JobStatus))
@pytest.mark.parametrize("position", [None, 2])
def test_every_state_has_its_words(
    writer: CommentWriter, status: JobStatus, position: int | None
) -> None:
    rows = tuple(VariantView(number=1, title="t", status=state) for state in VariantStatus)
    job = replace(JOB, status=status, position=position, variants=rows, page_url="")
    assert job.id in writer.write_status(job)
    assert job.id in writer.write_final(job)
    assert "\n" not in writer.write_status_line(job)
    assert job.id[:13] in writer.write_job_list(job.id, (job,))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_cancellation_says_how_many_jobs_stop(writer: CommentWriter, count: int) -> None:
    body = writer.write_cancelled(JOB.id, count).partition("\n")[2]
    assert ("2" in body) is (count == 2)
    assert len({writer.write_cancelled(JOB.id, other) for other in (0, 1, 2)}) == 3


def test_text_from_outside_stays_text(writer: CommentWriter) -> None:
    hostile = "[x](http://evil) <img src=x> @<guid> | `a`\n\n# big"
    job = replace(
        JOB, intent=hostile, variants=(replace(DONE, note=hostile),), error_message=hostile
    )
    for text in (writer.write_status(job), writer.write_final(job)):
        assert "](http://evil)" not in text
        assert "<img" not in text
        assert "@<" not in text
        assert "\n# big" not in text
    asked = Clarification(
        (ClarifyingRound(ClarifyingQuestion(hostile, (hostile,), 1), 3, hostile),)
    )
    for end in (None, ClarificationEnd.ANSWERED):
        job = replace(ASKED, clarification=replace(asked, end=end))
        for text in (writer.write_question(job, number=1, most=3), writer.write_final(job)):
            assert "](http://evil)" not in text
            assert "<img" not in text


def test_a_description_fits_whatever_was_asked(writer: CommentWriter) -> None:
    job = replace(JOB, intent="*" * 2000)
    text = writer.write_description(job, replace(DONE, note="|" * 500), 7)
    assert len(text) <= 4000
    assert writer.write_title(job, DONE).startswith("[v1] *")
    assert len(writer.write_title(job, DONE)) <= 200


def test_both_languages_know_the_same_templates_and_areas() -> None:
    folder = Path(shared.comments.render.__file__).with_name("templates")
    names = [{path.name for path in (folder / lang).iterdir()} for lang in LANGUAGES]
    assert names[0] == names[1]
    words = [tomllib.loads((folder / lang / "words.toml").read_text("utf-8")) for lang in LANGUAGES]
    assert words[0]["states"].keys() == words[1]["states"].keys()
    assert all(w["causes"].keys() == set(Verdict) for w in words)
    areas = [{key for key in w["errors"] if "." not in key} for w in words]
    assert areas[0] == areas[1]
    for w in words:
        assert w["questions"].keys() == set(VagueReason)
        assert w["options"].keys() == set(OptionKind)


WORDED = ClarifyingQuestion("Which *one*?", ("Only a_b.css", "Only c.css"), likeliest=2)
ASKED = replace(
    JOB,
    status=JobStatus.RUNNING,
    variants=(),
    page_url="",
    clarify_wait_s=300.0,
    clarification=Clarification(
        (
            ClarifyingRound(WORDED, 3, fault=AnswerFault.UNCLEAR),
            ClarifyingRound(ClarifyingQuestion("What?"), 4),
        )
    ),
)


def test_a_question_says_what_happens_without_an_answer() -> None:
    assert CommentWriter("en").write_question(ASKED, number=1, most=3) == snapshot("""\
<!-- code-agent job=edit-0123456789abcdef0123456789abcdef kind=question part=1 -->
**Which \\*one\\*?**

1. Only a\\_b.css
2. Only c.css

Reply in this thread with a number or in your own words; only the answer of whoever asked counts. Without one within 5 minutes I go on with option 2.

Question 1 of at most 3 · `/cancel` stops the job.
""")
    assert CommentWriter("de").write_question(ASKED, number=2, most=3) == snapshot("""\
<!-- code-agent job=edit-0123456789abcdef0123456789abcdef kind=question part=2 -->
Ich weiß noch immer nicht, was gemeint ist.

**What?**


Antworten Sie in diesem Thread in eigenen Worten; es zählt nur, was der Auftraggeber schreibt. Ohne Antwort innerhalb von 5 Minuten mache ich mit dem Auftrag, wie er dasteht, weiter.

Frage 2 von höchstens 3 · `/cancel` bricht den Auftrag ab.
""")


def test_the_status_comment_says_that_an_answer_is_waited_for() -> None:
    assert CommentWriter("en").write_status(ASKED) == snapshot("""\
<!-- code-agent job=edit-0123456789abcdef0123456789abcdef kind=status -->
**Code Agent** has a question, further down in this thread, and waits for the answer.

> make all buttons \\| red &lt;b&gt;

| Variant | State | Draft PR | Lines | Time | Note |
|---|---|---|---|---|---|

Write `/cancel` to stop it. `edit-0123456789abcdef0123456789abcdef`
""")


@pytest.mark.parametrize("end", [end for end in ClarificationEnd if end != "cancelled"])
def test_status_final_reply_and_draft_say_how_the_request_was_taken(
    writer: CommentWriter, end: ClarificationEnd
) -> None:
    rounds = (ClarifyingRound(WORDED, 3, answer="Only c.css" if end == "answered" else None),)
    job = replace(ASKED, status=JobStatus.SUCCESS, clarification=Clarification(rounds, end))
    texts = (
        writer.write_status(job),
        writer.write_final(job),
        writer.write_description(job, DONE, 7),
    )
    lines = [next(line for line in text.splitlines() if "Only c.css" in line) for text in texts]
    assert len(set(lines)) == 1
    assert ("5 Min" in lines[0] or "5 min" in lines[0]) is (end == "no_answer")


def test_a_request_is_taken_as_it_stands_where_nothing_likelier_is_known(
    writer: CommentWriter,
) -> None:
    rounds = (ClarifyingRound(ClarifyingQuestion("What?"), 3),)
    ended = Clarification(rounds, ClarificationEnd.NO_ANSWER)
    text = writer.write_final(replace(ASKED, clarification=ended))
    assert "as it stands" in text or "wie er dasteht" in text


def test_the_rules_questions_name_the_files(writer: CommentWriter) -> None:
    around = Surroundings([f"f{n}.py" for n in range(7)], [f"f{n}.py" for n in range(7)])
    question = find_question("fix it", around)
    assert question is not None
    worded = writer.word_question(question)
    assert worded.likeliest == 1
    assert worded.options[0].endswith(": f0.py, f1.py, f2.py, f3.py, f4.py, …")
    assert "7" in worded.options[0]
    assert worded.options[1].endswith(" f0.py")
    nothing = find_question("fix it", Surroundings(()))
    assert nothing is not None
    assert writer.word_question(nothing).likeliest == 0


USE = ModelUse(
    models=(("anthropic", "claude_x|5"), ("openai", "gpt-6-sol")),
    tokens_in=12_345,
    tokens_cached=9_000,
    tokens_out=678,
    cost_micro_usd=42_400,
    cache_hits=1,
    repair_rounds=2,
)


def last_lines(text: str) -> str:
    """The last lines that people see."""
    return "\n".join(text.splitlines()[-4:-1])


def test_the_final_reply_says_what_the_models_took() -> None:
    job = replace(JOB, use=USE, page_url="")
    assert last_lines(CommentWriter("en").write_final(job)) == snapshot("""\
Models: anthropic claude\\_x\\|5, openai gpt-6-sol · 12,345 tokens in (9,000 from the provider's cache), 678 out · $0.042 · 2 repair rounds · 1 earlier result used again

Job `edit-0123456789abcdef0123456789abcdef` · correlation `c0ffee` · 2 min 10 s\
""")
    assert last_lines(CommentWriter("de").write_final(job)) == snapshot("""\
Modelle: anthropic claude\\_x\\|5, openai gpt-6-sol · 12.345 Token gelesen (9.000 aus dem Cache des Anbieters), 678 geschrieben · 0,042 $ · 2 Nachbesserungen · 1 früheres Ergebnis wiederverwendet

Auftrag `edit-0123456789abcdef0123456789abcdef` · Korrelation `c0ffee` · 2 min 10 s\
""")
    least = replace(
        USE,
        models=USE.models[1:],
        tokens_cached=0,
        cost_micro_usd=None,
        cache_hits=0,
        repair_rounds=1,
    )
    text = CommentWriter("en").write_final(replace(job, use=least))
    assert last_lines(text).splitlines()[0] == snapshot(
        "Model: openai gpt-6-sol · 12,345 tokens in, 678 out · 1 repair round"
    )


def test_the_list_of_jobs_has_a_column_for_models_only_when_one_was_used() -> None:
    job = replace(JOB, page_url="")
    jobs = (replace(job, use=USE), job)
    assert CommentWriter("en").write_job_list("edit-0", jobs) == snapshot("""\
<!-- code-agent job=edit-0 kind=answer -->
| Job | Request | State | Draft PRs | Model |
|---|---|---|---|---|
| `edit-01234567` | make all buttons \\| red &lt;b&gt; | 🟡 partly done | [!12](http://ado/contoso/P/_git/r/pullrequest/12)  | anthropic claude\\_x\\|5, openai gpt-6-sol · 12,345 + 678 tokens · $0.042 |
| `edit-01234567` | make all buttons \\| red &lt;b&gt; | 🟡 partly done | [!12](http://ado/contoso/P/_git/r/pullrequest/12)  | – |
""")
    for language in LANGUAGES:
        rows = CommentWriter(language).write_job_list("edit-0", jobs).splitlines()[1:]
        assert {row.replace("\\|", "").count("|") for row in rows} == {6}
        rows = CommentWriter(language).write_job_list("edit-0", (job,)).splitlines()[1:]
        assert {row.replace("\\|", "").count("|") for row in rows} == {5}


def test_a_draft_names_the_model_that_made_it_and_not_the_one_of_another(
    writer: CommentWriter,
) -> None:
    made = replace(DONE, provider="openai", model="gpt-6-sol")
    text = writer.write_description(JOB, made, 7)
    assert "`openai`" in text
    assert "gpt-6-sol" in text
    assert "stub" not in text


@pytest.mark.parametrize("code", sorted(PROVIDER_FAULTS | {ModelCode.NONE_AVAILABLE}))
def test_nobody_is_asked_to_say_it_in_other_words_when_the_provider_is_at_fault(
    writer: CommentWriter, code: ModelCode
) -> None:
    """A later try may do where the verdict is retry; else the operators have to."""
    unwell = writer.write_refusal("edit-0", "c0ffee", str(code), "m")
    assert ("/retry" in unwell) is (fail_at_provider(code, "m").verdict is Verdict.RETRY)
    generic = writer.write_refusal("edit-0", "c0ffee", "model.text_not_found", "m")
    assert unwell.splitlines()[3] != generic.splitlines()[3]
