"""Secrets that the product must be able to say again, kept so that a stolen database tells nothing.

Encrypt-then-MAC of the standard library's parts: a keystream of HMAC-SHA256 over a counter (the
PRF in counter mode of NIST SP 800-108), and an HMAC over what comes out. The keys are made from
SECRET_KEY and a purpose, which is not in the database; changing SECRET_KEY closes all of them.
"""

import base64
import binascii
import hmac
import secrets

_NONCE, _TAG, _BLOCK = 16, 32, 64


class Unreadable(ValueError):
    """It was sealed with another key or for another purpose, or was changed."""


def seal(secret: bytes, purpose: str, text: str) -> str:
    """The text as letters and digits that only `secret` and `purpose` open. Its length shows in
    steps of 64 octets only."""
    data = text.encode() + b"\x80"
    data += bytes(-len(data) % _BLOCK)
    nonce = secrets.token_bytes(_NONCE)
    body = nonce + _mixed(_key(secret, purpose, "text"), nonce, data)
    return base64.urlsafe_b64encode(body + _tag(secret, purpose, body)).decode("ascii")


def unseal(secret: bytes, purpose: str, sealed: str) -> str:
    """What was sealed. Raises Unreadable."""
    try:
        whole = base64.urlsafe_b64decode(sealed.encode("ascii"))
    except (ValueError, binascii.Error) as error:
        raise Unreadable from error
    body, tag = whole[:-_TAG], whole[-_TAG:]
    if len(body) < _NONCE or not hmac.compare_digest(tag, _tag(secret, purpose, body)):
        raise Unreadable
    nonce, data = body[:_NONCE], body[_NONCE:]
    plain = _mixed(_key(secret, purpose, "text"), nonce, data)
    return plain.rstrip(b"\0")[:-1].decode()


def _key(secret: bytes, purpose: str, use: str) -> bytes:
    if not secret or "\0" in purpose:
        raise ValueError("bad secret or purpose")
    return hmac.digest(secret, f"sealed\0{use}\0{purpose}".encode(), "sha256")


def _tag(secret: bytes, purpose: str, body: bytes) -> bytes:
    return hmac.digest(_key(secret, purpose, "tag"), body, "sha256")


def _mixed(key: bytes, nonce: bytes, data: bytes) -> bytes:
    blocks = range(-(-len(data) // 32))
    stream = b"".join(hmac.digest(key, nonce + n.to_bytes(8, "big"), "sha256") for n in blocks)
    return bytes(a ^ b for a, b in zip(data, stream, strict=False))
