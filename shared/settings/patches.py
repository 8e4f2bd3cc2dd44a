"""Settings about what an edit may touch, and how large it may be."""

from dataclasses import dataclass

from shared.domain.change import MAX_PATCH_BYTES, MAX_PATCH_FILES
from shared.settings.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSettings:
    """What operators decide about edits."""

    protected_paths: tuple[str, ...] = ()
    """Patterns as in .gitignore, beside our own; one with `!` in front lifts a protection."""
    max_bytes: int = MAX_PATCH_BYTES
    """Of an edit as it was written."""
    max_files: int = MAX_PATCH_FILES


def read_patch_settings(reader: Reader) -> PatchSettings:
    """Read everything that is about edits; faults stay with the reader."""
    paths = reader.listed("CODE_AGENT_PROTECTED_PATHS")
    if any(not path.removeprefix("!").strip("/") for path in paths):
        reader.faults.append("CODE_AGENT_PROTECTED_PATHS: patterns as in .gitignore expected")
    return PatchSettings(
        protected_paths=paths,
        max_bytes=reader.whole("CODE_AGENT_MAX_PATCH_BYTES", MAX_PATCH_BYTES, 1_000, 10_000_000),
        max_files=reader.whole("CODE_AGENT_MAX_PATCH_FILES", MAX_PATCH_FILES, 1, 1_000),
    )
