"""Chooses what a model is shown of a repository: ranks its files for a request, packs the best.

Entry points: `index.build_index` (what is known of a snapshot), `ranking.rank_files` (which files
fit, and why), `pack.build_context` (a text within a token budget), `tools.SnapshotTools` (what a
model may ask for besides). Reads a snapshot's files and nothing else, and never shows a secret; the
text it makes is data, never an instruction. docs/context.md has the rules and figures.
"""
