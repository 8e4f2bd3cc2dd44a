"""Chooses what a model is shown of a repository: ranks its files for a request, packs the best.

Entry points: `ranking` (which files fit, and why), `pack` (a text within a token budget). Reads a
snapshot's files and nothing else; the text it makes is data, never an instruction.
"""
