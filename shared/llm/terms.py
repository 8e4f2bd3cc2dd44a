"""How drafts are made, as the operators decide it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DraftingTerms:
    """How drafts are made; see docs/settings.md."""

    spreads_variants: bool = False
    edit_format: str = "structured"
    max_output_tokens: int = 32_000
    repair_rounds: int = 3
    tool_rounds: int = 6
    tool_tokens: int = 40_000

    @property
    def max_calls(self) -> int:
        """Every look, being told that these were enough, a submission, and every repair."""
        return self.tool_rounds + 2 + self.repair_rounds
