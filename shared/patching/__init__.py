"""Reads a model's edits in whatever format they come, matches and applies them in memory, checks the result.

Never touches a disk, a network or a repository, and never writes a byte that it guessed.
"""
