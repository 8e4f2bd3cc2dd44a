"""Texts and file names that are credentials and hardly anything else."""

import re
from typing import Final

CREDENTIAL_FORMS: Final = (
    # with its body where that follows; a quote ends it, so that JSON stays JSON. Where its end
    # is missing the body is what looks like one, also quoted, in a diff, or with escaped line ends
    re.compile(
        r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
        r"(?:[^\"]{0,8000}?-----END (?:[A-Z]+ )?PRIVATE KEY-----"
        r"|(?:(?:[\s>#|-]|\\[nr])*(?:(?:Proc-Type|DEK-Info): [^\n\"]*|[A-Za-z0-9+/=]{16,}))*"
        r"(?:(?:[\s>#|-]|\\[nr])*"
        r"(?:[A-Za-z0-9+/=]+\Z|(?=[A-Za-z]{0,14}[0-9+/=])[A-Za-z0-9+/=]{1,15}))?)"
    ),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{50,}\b"),
    re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    # Source: https://learn.microsoft.com/azure/devops/release-notes/2024/sprint-241-update
    re.compile(r"\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b"),
    re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    re.compile(r"\b[sr]k_live_[A-Za-z0-9]{20,}\b"),
    re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    re.compile(r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    re.compile(r"\bxox[baprs]-[A-Za-z0-9-]{20,}\b"),
    re.compile(r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}\b"),
    re.compile(r"\bAccountKey=[A-Za-z0-9+/]{60,}={0,2}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
)

MASK: Final = "[credential removed]"
"""What models and people see in place of a credential."""


def mask_credentials(text: str) -> str:
    """Put a note in place of each credential."""
    for form in CREDENTIAL_FORMS:
        text = form.sub(MASK, text)
    return text


SECRET_GLOBS: Final = (
    ".env",
    ".env.*",
    "*.env",
    "!.env.example",
    "!.env.sample",
    "!.env.template",
    "*.pem",
    "*.key",
    "*.pfx",
    "*.p12",
    "*.p8",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "*.snk",
    "*.asc",
    "*.gpg",
    "*.publishsettings",
    "*.tfstate",
    "*.tfstate.*",
    "*.tfvars",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "secrets.*",
    "secret.json",
    "secret.y*ml",
    "credentials",
    "credentials.json",
    "credentials.y*ml",
    "credentials.ini",
    "credentials.csv",
    "credentials.xml",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".htpasswd",
    ".git-credentials",
    ".dockercfg",
    "local.settings.json",
    ".ssh/",
    ".aws/",
    ".gnupg/",
)
"""Patterns as in .gitignore for files that hold secrets by custom."""
