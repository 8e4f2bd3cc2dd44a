"""A model to talk to: Anthropic's and OpenAI's wire formats over loopback, with scripted answers.

A stand-in, not a mock: over HTTP, with the services' refusals, their streams and the accounting of
their prompt caches. `server` puts it together, `command` and `running` start it; one module for
each wire. What it answers is a script's or a brain's decision (`script`). Knows nothing of the
agent.
"""
