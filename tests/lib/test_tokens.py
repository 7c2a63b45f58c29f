"""Signed addresses, ids and links can be read by us and made by nobody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.lib.tokens import (
    link_token,
    message_id,
    new_token,
    read_link_token,
    read_message_id,
    read_ticket_address,
    sign,
    split_link_token,
    ticket_address,
    token_hash,
    verify,
)

SECRET = b"k" * 32
OTHER = b"o" * 32
IDS = st.integers(min_value=1, max_value=10**18 - 1)
HOSTILE = ["", " ", "%00", "\0", "null", "None", "0", "-1", "\ud800", "é" * 26, "a" * 5000, None]


def test_tokens_are_random_and_only_their_hash_is_kept() -> None:
    token = new_token()
    assert token != new_token() and len(token) >= 43
    assert token_hash(token) == token_hash(token) != token_hash(token + " ")
    assert len(token_hash("")) == 64


def test_a_signature_has_at_least_128_bits() -> None:
    assert len(sign(SECRET, "p", "v")) * 5 >= 128
    with pytest.raises(ValueError, match="length"):
        sign(SECRET, "p", "v", 25)
    with pytest.raises(ValueError, match="secret"):
        sign(b"", "p", "v")


@given(st.text(), st.text(st.characters(exclude_characters="\0")), st.integers(26, 51))
@settings(deadline=None)
def test_a_signature_verifies_in_any_case_and_for_its_purpose_only(
    value: str, purpose: str, chars: int
) -> None:
    signature = sign(SECRET, purpose, value, chars)
    assert verify(SECRET, purpose, value, signature)
    assert verify(SECRET, purpose, value, signature.upper())
    assert not verify(SECRET, purpose + "x", value, signature)
    assert not verify(SECRET, purpose, value + "x", signature)
    assert not verify(OTHER, purpose, value, signature)
    assert not verify(SECRET, purpose, value, signature[:25])


@pytest.mark.parametrize("token", HOSTILE)
def test_hostile_tokens_are_refused_without_an_error(token: str | None) -> None:
    assert not verify(SECRET, "p", "v", token)
    assert not verify(b"", "p", "v", "a" * 26)
    assert not verify(SECRET, "p\0", "v", "a" * 26)
    assert read_ticket_address(SECRET, token) is None
    assert read_message_id(SECRET, token) is None
    assert split_link_token(token) is None
    assert read_link_token(SECRET, token, "nonce") is None


@given(IDS, st.text(max_size=90).filter(lambda s: not set(s) & set("@<> \t\r\n")))
@settings(deadline=None)
def test_a_reply_address_leads_to_its_ticket(ticket_id: int, local: str) -> None:
    address = ticket_address(SECRET, ticket_id, "support", "example.com")
    assert address.startswith(f"support+t{ticket_id}.") and address.endswith("@example.com")
    assert read_ticket_address(SECRET, address) == ticket_id
    assert read_ticket_address(SECRET, f"<{address.upper()}>") == ticket_id
    assert read_ticket_address(OTHER, address) is None
    long = ticket_address(SECRET, ticket_id, "very-long-name-of-a-mailbox" * 4, "example.com")
    assert len(long.partition("@")[0]) <= 64
    assert read_ticket_address(SECRET, long) == ticket_id


def test_a_reply_address_in_another_alphabet_fits_too() -> None:
    address = ticket_address(SECRET, 10**18 - 1, "підтримка" * 9, "пошта.укр")
    assert len(address.partition("@")[0].encode()) <= 64
    assert read_ticket_address(SECRET, address) == 10**18 - 1


def test_an_address_with_another_number_or_a_changed_signature_is_nobodys() -> None:
    address = ticket_address(SECRET, 42, "support", "example.com")
    for wrong in (
        address.replace("+t42.", "+t43."),
        address.replace("+t42.", "+t042."),
        address.replace("+t42.", "+t-42."),
        address.replace("@", "a@"),
        address[: address.index("@") - 1] + "@example.com",
        address.partition("@")[0],
        "x" + address[1:].replace(".", "", 1),
        "support+t42.@example.com",
        "support+t42@example.com",
    ):
        assert read_ticket_address(SECRET, wrong) is None


@given(IDS, st.from_regex(r"[A-Za-z0-9_-]{1,30}(\.[A-Za-z0-9]{1,10}){0,3}", fullmatch=True))
@settings(deadline=None)
def test_our_message_ids_lead_back(ticket_id: int, unique: str) -> None:
    own = message_id(SECRET, ticket_id, unique, "example.com")
    assert own == message_id(SECRET, ticket_id, unique, "example.com")
    assert read_message_id(SECRET, own) == ticket_id
    assert read_message_id(SECRET, f" <{own}> ") == ticket_id
    assert read_message_id(SECRET, own.lower()) == ticket_id
    assert read_message_id(OTHER, own) is None
    assert read_message_id(SECRET, own.replace(".", ".0", 1)) is None


@pytest.mark.parametrize("unique", ["", "a b", "a@b", "a\r\n", "é", "a" * 101, ".a", "a..b"])
def test_a_message_id_is_made_of_plain_characters(unique: str) -> None:
    with pytest.raises(ValueError, match="unique"):
        message_id(SECRET, 1, unique, "example.com")


@given(IDS, st.text(min_size=1), st.text(min_size=1))
@settings(deadline=None)
def test_a_link_opens_its_ticket_until_the_nonce_changes(ticket_id: int, a: str, b: str) -> None:
    token = link_token(SECRET, ticket_id, a)
    assert split_link_token(token) == (ticket_id, token.partition("-")[2])
    assert read_link_token(SECRET, token, a) == ticket_id
    assert (read_link_token(SECRET, token, b) == ticket_id) is (a == b)
    assert read_link_token(SECRET, token, "") is None
    assert read_link_token(SECRET, token, None) is None
    assert read_link_token(OTHER, token, a) is None
    assert read_link_token(SECRET, token[:-1], a) is None


def test_links_need_a_nonce_and_a_real_ticket() -> None:
    with pytest.raises(ValueError, match="nonce"):
        link_token(SECRET, 1, "")
    for wrong in (0, -1, 10**18):
        with pytest.raises(ValueError, match="positive"):
            link_token(SECRET, wrong, "n")


def test_what_is_signed_for_one_use_is_worthless_for_another() -> None:
    reply = ticket_address(SECRET, 42, "s", "x.ua").partition(".")[2].partition("@")[0]
    own = message_id(SECRET, 42, "u", "x.ua").split(".")[2].partition("@")[0]
    link = link_token(SECRET, 42, "n").partition("-")[2]
    assert len({reply, own, link}) == 3
    assert read_ticket_address(SECRET, f"s+t42.{link}@x.ua") is None
    assert read_ticket_address(SECRET, f"s+t42.{own}@x.ua") is None
    assert read_message_id(SECRET, f"t42.u.{reply}@x.ua") is None
    assert read_link_token(SECRET, f"42-{reply}", "n") is None
