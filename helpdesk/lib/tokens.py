"""Secrets and signatures that leave the house: tokens, signed reply addresses, ids and links.

A signature is an HMAC-SHA256 (RFC 2104) of purpose and value, cut to 130 bits and written in
lower-case base32, because some mail servers change the case of local parts. A signature made for
one purpose never verifies for another.
"""

import base64
import hashlib
import hmac
import re
import secrets

_CHARS = 26
_SIGNATURE = rf"[A-Za-z2-7]{{{_CHARS}}}"
_ID = r"[1-9][0-9]{0,17}"
_REPLY = re.compile(rf"[^@\s<>]*\+t({_ID})\.({_SIGNATURE})@[^@\s<>]+", re.I | re.A)
_MESSAGE_ID = re.compile(
    rf"t({_ID})\.([a-z0-9_.-]{{1,100}})\.({_SIGNATURE})@[^@\s<>]+", re.I | re.A
)
_UNIQUE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_LINK = re.compile(rf"({_ID})-({_SIGNATURE})")
_MAX_LOCAL = 64


def new_token(bytes: int = 32) -> str:
    """A fresh secret of `bytes` random octets, URL-safe."""
    return secrets.token_urlsafe(bytes)


def token_hash(token: str) -> str:
    """SHA-256 in hex: what is stored instead of a token (a token is random, so no salt)."""
    return hashlib.sha256(_octets(token)).hexdigest()


def sign(secret: bytes, purpose: str, value: str, chars: int = _CHARS) -> str:
    """The signature of `value` for `purpose`: `chars` characters of 5 bits each, 26 to 51.

    ValueError for fewer than 128 bits, an empty secret, or a purpose with NUL.
    """
    if not secret or not _CHARS <= chars <= 51 or "\0" in purpose:
        raise ValueError("bad secret, purpose or length")
    digest = hmac.digest(secret, _octets(purpose) + b"\0" + _octets(value), "sha256")
    return base64.b32encode(digest)[:chars].decode("ascii").lower()


def verify(secret: bytes, purpose: str, value: str, signature: str | None) -> bool:
    """Whether the signature, in any case of letters, is that of value and purpose; never raises."""
    if not isinstance(signature, str) or not signature.isascii() or not 26 <= len(signature) <= 51:
        return False
    if not secret or "\0" in purpose:
        return False
    expected = sign(secret, purpose, value, len(signature))
    return hmac.compare_digest(expected, signature.lower())


def ticket_address(secret: bytes, ticket_id: int, local: str, domain: str) -> str:
    """The reply address of a ticket: "support+t42.<signature>@domain".

    The local part stays within 64 octets (RFC 5321 §4.5.3.1.1); a long base is cut.
    """
    tag = f"+t{_checked(ticket_id)}.{sign(secret, 'reply-address', str(ticket_id))}"
    base = local.encode()[: _MAX_LOCAL - len(tag)].decode(errors="ignore").rstrip(".")
    return f"{base or 'reply'}{tag}@{domain}"


def read_ticket_address(secret: bytes, address: str | None) -> int | None:
    """The ticket a reply address leads to, whatever its case and domain; None unless signed."""
    found = _REPLY.fullmatch(_bare(address))
    if found and verify(secret, "reply-address", found[1], found[2]):
        return int(found[1])
    return None


def message_id(secret: bytes, ticket_id: int, unique: str, domain: str) -> str:
    """A Message-ID, without angle brackets, that leads back to its ticket (RFC 5322 §3.6.4):
    "t42.<unique>.<signature>@domain". The same arguments give the same id, so a resent email
    keeps it. ValueError unless `unique` is at most 100 letters, digits, "-", "_" and inner dots.
    """
    if len(unique) > 100 or not _UNIQUE.fullmatch(unique):
        raise ValueError("unique must be letters, digits, - and _")
    signature = sign(secret, "message-id", f"{_checked(ticket_id)}.{unique.lower()}")
    return f"t{ticket_id}.{unique}.{signature}@{domain}"


def read_message_id(secret: bytes, message_id: str | None) -> int | None:
    """The ticket of one of our own Message-IDs, with or without <>; None unless signed."""
    found = _MESSAGE_ID.fullmatch(_bare(message_id))
    if found and verify(secret, "message-id", f"{found[1]}.{found[2].lower()}", found[3]):
        return int(found[1])
    return None


def link_token(secret: bytes, ticket_id: int, nonce: str) -> str:
    """The token of a customer's link to one ticket: "42-<signature>".

    The nonce is the ticket's own and stays on the server: a new one revokes all older links.
    ValueError for an empty nonce.
    """
    if not nonce:
        raise ValueError("a ticket without nonce has no link")
    return f"{_checked(ticket_id)}-{sign(secret, 'ticket-link', f'{ticket_id}.{nonce}')}"


def split_link_token(token: str | None) -> tuple[int, str] | None:
    """(ticket id, signature) as written, not verified yet; None when malformed."""
    found = _LINK.fullmatch(token) if isinstance(token, str) else None
    return (int(found[1]), found[2]) if found else None


def read_link_token(secret: bytes, token: str | None, nonce: str | None) -> int | None:
    """The ticket id when the token is signed for this nonce; None else, also for an empty nonce."""
    parts = split_link_token(token)
    if parts is None or not nonce:
        return None
    ticket_id, signature = parts
    return ticket_id if verify(secret, "ticket-link", f"{ticket_id}.{nonce}", signature) else None


def _checked(ticket_id: int) -> int:
    if not 0 < ticket_id < 10**18:
        raise ValueError("a ticket id is a positive number")
    return ticket_id


def _bare(s: str | None) -> str:
    if not isinstance(s, str) or len(s) > 1000:
        return ""
    return s.strip(" \t\r\n<>")


def _octets(s: str) -> bytes:
    return s.encode("utf-8", "surrogatepass")
