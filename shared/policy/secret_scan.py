"""Finds credentials in lines that a patch adds, by the detectors of detect-secrets.

Only detectors of tokens with a form of their own are asked. Those that guess by entropy or by a
word such as `password` would refuse honest changes. Source: https://github.com/Yelp/detect-secrets
"""

from functools import cache
from importlib import import_module
from typing import Any, Final

_DETECTORS: Final = (
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("jwt", "JwtTokenDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("npm", "NpmDetector"),
    ("openai", "OpenAIDetector"),
    ("private_key", "PrivateKeyDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
    ("telegram_token", "TelegramBotTokenDetector"),
)
_LONGEST: Final = 10_000
"""Characters of a line that are looked at: minified files have lines of megabytes."""


def find_secrets(line: str) -> bool:
    """Answer whether a line holds a credential."""
    part = line[:_LONGEST]
    return any(_has_any(detector, part) for detector in _load_detectors())


def _has_any(detector: Any, line: str) -> bool:
    return any(True for found in detector.analyze_string(line) if found)


@cache
def _load_detectors() -> tuple[Any, ...]:
    """Load the detectors; the first patch of a process pays an eighth of a second for them."""
    return tuple(
        getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
        for module, name in _DETECTORS
    )
