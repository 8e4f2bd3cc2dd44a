"""An Azure DevOps Services to talk to: one organisation over real git repositories, on loopback.

A stand-in, not a mock: stateful, over HTTP, refusing what the service refuses. `server` puts it
together, `command` and `running` start it; one module for each area of REST 7.1. Knows nothing of
the agent.
"""
