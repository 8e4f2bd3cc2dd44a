"""What an edit may touch and how large it may be. Values only; `checks` enforces them."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.change import MAX_PATCH_BYTES, MAX_PATCH_FILES
from shared.domain.credentials import SECRET_GLOBS

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
"""Patterns as in .gitignore; a name without a slash holds in every folder.

They hold whatever the case: `CodeOwners` is the same file to Windows and to some services.
"""


@dataclass(frozen=True, slots=True)
class PatchRules:
    """The checks that an applied edit must pass. The paths rules that guard git always hold."""

    max_patch_bytes: int | None = None
    max_files: int | None = None
    protected_globs: tuple[str, ...] = ()
    """Patterns as in .gitignore, whatever the case; the last one that fits decides."""
    withheld_globs: tuple[str, ...] = ()
    """The same for what is never shown, in the case that they have there."""
    check_syntax: bool = False
    """Refuse a file that was well-formed and is not any more."""
    check_secrets: bool = False
    find_secrets: Callable[[str], bool] | None = None
    """Answers whether a line holds a credential; None: the engine's own short list."""
    check_conflict_markers: bool = True
    check_elisions: bool = False
    """Refuse new lines such as `# ... existing code ...` where old ones are gone for them."""

    @classmethod
    def default_for_jobs(cls) -> "PatchRules":
        """Build the rules of a job as they are where no setting says otherwise: everything on."""
        return cls(
            max_patch_bytes=MAX_PATCH_BYTES,
            max_files=MAX_PATCH_FILES,
            protected_globs=PROTECTED_GLOBS,
            # nobody should edit blindly: what is never shown to a model is not its to change
            withheld_globs=SECRET_GLOBS,
            check_syntax=True,
            check_secrets=True,
            check_elisions=True,
        )
