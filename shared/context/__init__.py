"""Ranks the files and regions of a snapshot for a request, within a token budget. Pure."""
