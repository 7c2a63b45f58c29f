"""Answers are compressed, and no secret can be read from how long they are."""

import gzip
import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.web.conftest import Desk, Pages

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def packed(answer: TestResponse) -> bool:
    assert answer.status_code in (200, 404)
    return answer.headers.get("Content-Encoding") == "gzip"


def test_a_page_shrinks_to_a_third_and_reads_the_same(alice: Pages, desk: Desk) -> None:
    path = f"/desk/t/{desk.ticket()}"
    plain, small = alice.raw("GET", path), alice.raw("GET", path, headers=GZIP)
    assert not packed(plain) and packed(small)
    assert int(small.headers["Content-Length"]) == len(small.data) < len(plain.data) / 3
    assert "Accept-Encoding" in small.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    tokens = re.compile(rb'csrf_token" value="[^"]+"')
    assert tokens.sub(b"", gzip.decompress(small.data)) == tokens.sub(b"", plain.data)


def test_small_answers_files_and_heads_stay_as_they_are(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    font = "/static/vendor/inter/latin.woff2"
    for path in (f"/desk/t/{number}/sent?nonce=1", font, "/healthz"):
        answer = alice.raw("GET", path, headers=GZIP)
        assert not packed(answer)
        answer.close()
    assert "Content-Encoding" not in alice.raw("HEAD", "/desk", headers=GZIP).headers
    refused = {"Accept-Encoding": "gzip;q=0, identity"}
    assert not packed(alice.raw("GET", "/desk", headers=refused))


@pytest.mark.parametrize(
    ("site", "is_packed"),
    [
        ("same-origin", True),
        ("none", True),
        ("cross-site", False),
        ("same-site", False),
        ("", None),
    ],
)
def test_over_https_what_another_site_may_have_asked_for_is_not_compressed(
    alice: Pages, app: Flask, site: str, is_packed: bool | None
) -> None:
    app.config["SESSION_COOKIE_SECURE"] = True
    headers = GZIP | ({"Sec-Fetch-Site": site} if site else {})
    assert packed(alice.raw("GET", "/desk?q=guess", headers=headers)) is bool(is_packed)


def test_programs_and_strangers_have_no_cookie_and_get_it_compressed(
    app: Flask, pages: Pages
) -> None:
    app.config["SESSION_COOKIE_SECURE"] = True
    with app.test_client(use_cookies=False) as client:
        answer = client.get("/api/v1/openapi.json", headers=GZIP)
        assert packed(answer)
        assert b"openapi" in gzip.decompress(answer.data)
        assert packed(client.get("/login", headers=GZIP))


def test_lengths_of_the_same_page_differ(alice: Pages) -> None:
    answers = [alice.raw("GET", "/desk", headers=GZIP) for _ in range(12)]
    lengths = {len(str(answer.headers)) + len(answer.data) for answer in answers}
    assert len(lengths) > 3


def test_the_token_of_forms_changes_with_every_answer_and_all_of_them_hold(
    alice: Pages, desk: Desk
) -> None:
    number = desk.ticket()
    tokens = []
    for _ in range(2):
        alice.get(f"/desk/t/{number}")
        tokens.append(alice.token)
    assert tokens[0] != tokens[1]
    for token in tokens:
        fields = {"csrf_token": token, "kind": "note", "text": "x"}
        answer = alice.raw("POST", f"/desk/t/{number}/drafts", data=fields)
        assert answer.status_code == 200
    wrong = tokens[0][:-6] + "AAAAA="
    answer = alice.raw("POST", f"/desk/t/{number}/drafts", data={"csrf_token": wrong})
    assert answer.status_code == 400
