"""A Key Vault and the endpoint of managed identities, on loopback: stateful, over HTTP, in memory.

It refuses what the real ones refuse, and is talked to by the real azure-identity and
azure-keyvault-secrets. It knows nothing of the app. Secrets only: no keys and no certificates.
Entry points: `serve`, `run_in_thread`, `python -m local key-vault`.
"""
