"""Everything that stands in for Azure on one machine. `python -m local --help` lists it.

The app runs here unchanged, through the real SDKs: `functions_host` is the host and the Durable
extension's side of the protocol, `azure_devops` an organisation with real git repositories.
Stateful, over HTTP, tested.
"""
