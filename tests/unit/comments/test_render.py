import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot

import shared.comments.render
from shared.comments.marker import CommentKind, write_marker
from shared.comments.render import LANGUAGES, CommentWriter
from shared.comments.view import JobView, VariantView
from shared.domain.states import JobStatus, VariantStatus

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
- Variant 3: ❌ failed. Azure DevOps is not available. Write `/retry` to try again. If it stays so, give the operators the correlation id.

Job `edit-0123456789abcdef0123456789abcdef` · correlation `c0ffee` · 2 min 10 s · [details](http://host/gateway/jobs/edit-0123456789abcdef0123456789abcdef)
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
- Variante 3: ❌ fehlgeschlagen. Azure DevOps hat nicht getan, worum ich gebeten habe. `/retry` versucht es noch einmal. Bleibt es so, geben Sie den Betreibern die Korrelations-ID.

Auftrag `edit-0123456789abcdef0123456789abcdef` · Korrelation `c0ffee` · 2 min 10 s · [Einzelheiten](http://host/gateway/jobs/edit-0123456789abcdef0123456789abcdef)
""")


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
    areas = [{key for key in w["errors"] if "." not in key} for w in words]
    assert areas[0] == areas[1]
