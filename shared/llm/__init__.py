"""Asks a model for a change. One module per provider; the stub is a provider like the others."""
