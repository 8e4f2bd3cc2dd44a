"""docs/alerts.md, and what it says of the guide's own queries."""

import pytest

from tests.alerts.conftest import OpenStory
from tests.alerts.document import PATH, judge_guide_query, write_document
from tests.alerts.guide import GUIDE
from tests.kusto.service import MISSING, check_queries, is_there

pytestmark = pytest.mark.skipif(not is_there(), reason=MISSING)


def test_the_document_says_what_runs(open_story: OpenStory) -> None:
    written = write_document(open_story)
    assert PATH.read_text(encoding="utf-8") == written, "run `python -m tests.alerts.document`"


def test_the_guides_own_queries_fare_as_the_document_says(open_story: OpenStory) -> None:
    typed = check_queries({each.name: each.query for each in GUIDE})
    judged = {each.name: judge_guide_query(each, typed[each.name], open_story) for each in GUIDE}
    assert {name: verdict for name, (*_, verdict) in judged.items()} == {
        "SLO: Variant success rate": "answers; read it with care",
        "P95 Duration by LLM Provider": "answers; read it with care",
        "Error rate by component": "answers; read it with care",
        "High Error Rate": "does not compile",
        "Service Down": "stays silent",
        "High Latency": "fires when it should not",
        "Circuit Breaker Open": "stays silent",
        "Queue Backlog": "works",
        "Rate Limit Warning": "fires when it should not",
        "Suspicious activity": "misses what it is for, and fires beside it",
    }
