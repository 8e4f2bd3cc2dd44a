"""A cold start imports what every delivery needs, and nothing that only some step does."""

import json
import subprocess
import sys

from tests.local.functions_host.hosting import REPOSITORY

LATER = (
    *("alembic", "sqlalchemy", "psycopg", "anthropic", "openai", "azure.identity", "jinja2"),
    *("tree_sitter", "pygit2", "detect_secrets", "opentelemetry.sdk", "prometheus_client"),
    *("shared.telemetry.events", "shared.store", "shared.llm", "shared.patching"),
    *("shared.context", "shared.comments", "shared.pages.render"),
    *("shared.domain.job", "shared.domain.pull_request", "azure.monitor"),
)


def test_importing_the_app_loads_nothing_that_a_delivery_does_not_need() -> None:
    code = "import function_app, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    assert "function_app" in loaded
    early = [name for name in loaded if name.startswith(LATER)]
    assert early == []
