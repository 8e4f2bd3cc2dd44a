"""Where credentials come from: a Key Vault, or the environment. Never logs one, nor raises one.

Entry points: `choose.open_secrets` decides by the settings, `source.Secrets` is what users see.
Azure's SDKs are imported only where a vault is configured, when the first secret is read.
"""
