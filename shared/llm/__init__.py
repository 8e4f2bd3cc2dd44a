"""Asks a model for a change, and mends with it what does not fit.

`provider` is the seam (`ModelProvider`, `DraftRequest`, `Draft`, `ModelError`). `drafting` talks to
models: `prompt` says how (its words are files in `prompts/`), `chain` whom to ask, `chat` speaks
the vendors' wires, `accounts` is what it is charged to. `strategies` says what makes variants
differ, `stub` answers without any model. Nothing here touches Azure DevOps or tries a call twice,
and no change is made up that nobody asked for.
"""
