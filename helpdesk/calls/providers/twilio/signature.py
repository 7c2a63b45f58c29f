"""Whether a webhook comes from Twilio: X-Twilio-Signature over the address that Twilio knows.

The address is HELPDESK_PUBLIC_URL with the raw path and query, never the Host header: behind a
proxy the scheme differs, and a decoded escape (%D1%83) is another text than the one signed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

BODY_HASH = "bodySHA256="


@dataclass(frozen=True)
class Account:
    """An account's identifier and the secrets that sign its webhooks.

    Two tokens are valid while one takes over from the other; `shared_key` signs HMAC_SHA256.
    """

    sid: str
    token: str
    secondary: str | None = None
    shared_key: str | None = None


@dataclass(frozen=True)
class Sent:
    """A request as it came: the address without our host, the form with repeated and blank
    values, and the body where it is no form."""

    target: str
    form: Mapping[str, list[str]]
    body: bytes
    headers: Mapping[str, str]


def authentic(sent: Sent, public_url: str, account: Account) -> bool:
    """Whether the account's owner signed this. Never raises: what is odd is not authentic."""
    signature = sent.headers.get(SIGNATURE_HEADER, "")
    params = _signed(sent)
    if not signature or params is None or not sent.target.isascii():
        return False
    algorithm = get_signature_algorithm(sent.headers.get(SIGNATURE_SETTINGS_HEADER, ""))
    url = public_url + sent.target
    try:
        return any(
            RequestValidator(secret).validate(url, params, signature, algorithm)
            for secret in _secrets(account, algorithm.upper())
        )
    except (ValueError, TypeError):  # e.g. a lone surrogate, or a port that is no number
        return False


def _secrets(account: Account, algorithm: str) -> Iterable[str]:
    """A secret signs in its own way only; one that is empty signs nothing."""
    if algorithm == HMAC_SHA256:
        return filter(None, [account.shared_key])
    return filter(None, [account.token, account.secondary]) if algorithm == HMAC_SHA1 else ()


class _Form(dict[str, list[str]]):
    """A form of which the validator asks all values of a name."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _signed(sent: Sent) -> _Form | str | None:
    """What the signature covers beside the address: the form, or by its hash in the address the
    body. None: a body that nothing signs."""
    if sent.form:
        return _Form(sent.form)
    if BODY_HASH not in sent.target.partition("?")[2]:
        return None if sent.body else _Form()
    try:
        return sent.body.decode("utf-8")
    except UnicodeDecodeError:
        return None
