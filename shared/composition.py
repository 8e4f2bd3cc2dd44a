"""Reads the settings and builds the adapters: the one place where the parts meet."""
