"""Masked form tokens: never twice the same, always the same token underneath."""

from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.ext.form_tokens import masked, unmasked


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=200))
def test_the_same_token_looks_different_each_time(token: str) -> None:
    looks = {masked(token) for _ in range(3)}
    assert len(looks) == 3
    assert token not in looks
    assert {unmasked(look) for look in looks} == {token}


@settings(deadline=None)
@given(st.text(max_size=100))
def test_anything_else_is_no_token_and_no_error(text: str) -> None:
    assert isinstance(unmasked(text), str)


def test_a_bare_token_is_not_taken_for_a_masked_one() -> None:
    bare = "IjY0ZjQ2YjE5.aSKx8A.qGz0x"
    assert unmasked(bare) != bare
    assert unmasked("") == ""
