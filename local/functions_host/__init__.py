"""A Functions host for one machine: HTTP, timers and the Durable extension's side of the protocol.

It runs any Python v2-model app folder through the real azure-functions and azure-functions-durable
SDKs, with its state in one SQLite file. Entry points: `command` (command line) and `host.serve`
(tests). It never imports this project's app, and never runs on more than one machine: that is what
Azure Functions is for.
"""
