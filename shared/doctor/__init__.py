"""Looks at everything that the app needs to work, each thing by itself, and says what to do."""
