"""Asks a model for a change. One module per provider; the stub is a provider like the others.

`provider` is the seam (`ModelProvider`, `DraftRequest`, `Draft`, `ModelError`), `clarifier` another
one (what must be asked first), `strategies` says what makes variants differ, `stub` answers without
any model. A provider never touches Azure DevOps, never applies an edit, never tries twice, and
never makes up a change that nobody asked for.
"""
