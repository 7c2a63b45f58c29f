"""Secrets that can be said again: opened by the same key alone, and telling nothing in between."""

import base64

import pytest

from helpdesk.lib.sealed import Unreadable, seal, unseal

SECRET = b"k" * 32


@pytest.mark.parametrize("text", ["", "x", "пароль §1 \x00", "a" * 63, "a" * 64, "b" * 1000])
def test_what_is_sealed_comes_back(text: str) -> None:
    sealed = seal(SECRET, "mail", text)
    assert unseal(SECRET, "mail", sealed) == text
    assert seal(SECRET, "mail", text) != sealed


def test_other_keys_purposes_and_changes_are_refused() -> None:
    sealed = seal(SECRET, "mail", "canary")
    whole = bytearray(base64.urlsafe_b64decode(sealed))
    for number in range(len(whole)):
        changed = bytes(whole[:number]) + bytes([whole[number] ^ 1]) + bytes(whole[number + 1 :])
        with pytest.raises(Unreadable):
            unseal(SECRET, "mail", base64.urlsafe_b64encode(changed).decode())
    for secret, purpose, text in (
        (b"j" * 32, "mail", sealed),
        (SECRET, "form", sealed),
        (SECRET, "mail", sealed[:40]),
        (SECRET, "mail", ""),
        (SECRET, "mail", "ї"),
    ):
        with pytest.raises(Unreadable):
            unseal(secret, purpose, text)


def test_the_length_of_a_password_does_not_show() -> None:
    assert len(seal(SECRET, "mail", "short")) == len(seal(SECRET, "mail", "a longer password"))
    assert b"canary" not in base64.urlsafe_b64decode(seal(SECRET, "mail", "canary"))
