"""What an edit may touch and how large it may be. Values only; `checks` enforces them."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.credentials import SECRET_GLOBS

MAX_PATCH_BYTES = 200_000
"""Bytes of an edit as it was written; the issue's limit."""
MAX_PATCH_FILES = 50

PROTECTED_GLOBS = (
    # what runs or guards the pipeline
    "azure-pipelines.yml",
    "azure-pipelines.yaml",
    "azure-pipelines*.yml",
    "azure-pipelines*.yaml",
    ".azure-pipelines/",
    ".azuredevops/",
    ".pipelines/",
    ".github/workflows/",
    ".github/actions/",
    ".gitlab-ci.yml",
    "Jenkinsfile",
    "CODEOWNERS",
    ".gitattributes",
    ".gitmodules",
    # what a tool writes, never a hand
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "Cargo.lock",
    "go.sum",
    "Gemfile.lock",
    "composer.lock",
    "packages.lock.json",
    # what steers the agent itself
    ".code-agent/",
    ".code-agent.yml",
    ".code-agent.yaml",
)
"""Patterns as in .gitignore; a name without a slash holds in every folder."""


@dataclass(frozen=True, slots=True)
class PatchRules:
    """The checks that an applied edit must pass. The paths rules that guard git always hold."""

    max_patch_bytes: int | None = None
    max_files: int | None = None
    protected_globs: tuple[str, ...] = ()
    check_syntax: bool = False
    """Refuse a file that was well-formed and is not any more."""
    check_secrets: bool = False
    find_secrets: Callable[[str], bool] | None = None
    """Answers whether a line holds a credential; None: the engine's own short list."""
    check_conflict_markers: bool = True

    @classmethod
    def default_for_jobs(cls) -> "PatchRules":
        """Build the rules of a job: everything on."""
        return cls(
            max_patch_bytes=MAX_PATCH_BYTES,
            max_files=MAX_PATCH_FILES,
            # nobody should edit blindly: what is never shown to a model is not its to change
            protected_globs=(*PROTECTED_GLOBS, *SECRET_GLOBS),
            check_syntax=True,
            check_secrets=True,
        )
