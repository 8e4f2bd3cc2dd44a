"""Reads a model's edits in any format, matches and applies them in memory, checks the result.

Entry points: `apply` (the whole way), `read` (formats), `rules` (what is allowed), `errors`. Never
touches a disk, a network or a repository, and never writes a byte that it guessed.
"""
