"""The twin's account: a sid and a token that every process derives alike from the secret key."""

import hmac
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True)
class Account:
    """What REST requests log in with, and what webhooks are signed by."""

    sid: str
    token: str


def account(secret_key: str) -> Account:
    """The account of an installation."""
    return Account(f"AC{_derived(secret_key, 'twin account')}", _derived(secret_key, "twin token"))


def _derived(secret_key: str, purpose: str) -> str:
    return hmac.new(secret_key.encode(), purpose.encode(), sha256).hexdigest()[:32]
