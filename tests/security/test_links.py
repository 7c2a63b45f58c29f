"""CWE-352, CWE-601, CWE-644: forms of other sites, redirects, the Host header (T19, T22, T26)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.outbox.models import Outgoing
from helpdesk.reactions import react
from helpdesk.web.guard import safe_path
from tests.cast import PASSWORD
from tests.intake.conftest import Mailroom, email
from tests.web.conftest import Pages

FITTING = {"lang": "en", "act": "answer"}
"""For parts of an address that are one of some words."""
PROGRAMS = ("/api/", "/twilio/", "/hooks/")
ELSEWHERE = [
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "https://evil.example/desk", "/\t/evil.example", "/\n/evil.example", " //evil.example",
    "javascript:alert(1)", "data:text/html,x", "/%0d%0aX:y\r\n", "///evil.example",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE[:3])
def test_no_log_in_leads_elsewhere(pages: Pages, target: str) -> None:
    pages.get("/login")
    fields = {"csrf_token": pages.token, "email": "alice@example.com", "password": PASSWORD}
    answer = pages.raw("POST", "/login", data={**fields, "next": target})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/desk"


@pytest.mark.parametrize("target", ELSEWHERE[3:5])
def test_no_form_that_waited_is_sent_elsewhere(pages: Pages, target: str) -> None:
    pages.get("/login")
    fields = {"csrf_token": pages.token, "email": "alice@example.com", "password": PASSWORD}
    page = pages.send("/login", {**fields, "again_path": target, "again:text": "kept"})
    assert {form.get("action") for form in page.all("form")} <= {"/desk", "/logout", "/login"}


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_place_elsewhere_becomes_the_desk(target: str) -> None:
    assert safe_path(target) == "/desk"


@given(st.text(max_size=40) | st.text("/\\.:@e%0d\t\n ", max_size=20))
@settings(deadline=None, max_examples=300)
def test_what_is_gone_on_to_is_always_a_path_of_ours(target: str) -> None:
    path = safe_path("/" + target)
    assert path[0] == "/" and path[1:2] not in ("/", "\\")
    assert not any(ord(char) < 33 for char in path)


def test_every_unsafe_page_refuses_other_sites_and_missing_tokens(pages: Pages) -> None:
    """The sweep over the address map: an exempt page would show here. Programs send no cookies:
    the API has tokens, carriers sign, an exchange knows a secret address."""
    pages.log_in("ada")
    places = pages.app.url_map.bind("localhost")
    done, looked_at = [], 0
    for rule in pages.app.url_map.iter_rules():
        if rule.rule.startswith(PROGRAMS) or "POST" not in (rule.methods or ()):
            continue
        values = {name: FITTING.get(name, "1") for name in rule.arguments}
        path = places.build(rule.endpoint, values, method="POST")
        for headers, wanted in (
            ({"Origin": "https://evil.example"}, {403}),
            ({"Sec-Fetch-Site": "cross-site"}, {403}),
            ({"Sec-Fetch-Site": "same-site"}, {403}),
            ({"Origin": "null"}, {403}),
            ({}, {400, 404}),
        ):
            looked_at += 1
            status = pages.raw("POST", path, headers=headers, data={"text": "x"}).status_code
            if status not in wanted:
                done.append((rule.rule, headers, status))
    assert not done
    assert looked_at > 100


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "a b", "[", "127.0.0.1@evil"]
)
def test_no_page_is_shown_under_a_strange_name(pages: Pages, host: str) -> None:
    answer = pages.raw("GET", "/login", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.text


def test_links_in_emails_are_made_of_the_public_address(pages: Pages, mailroom: Mailroom) -> None:
    pages.raw("GET", "/login", headers={"X-Forwarded-Host": "evil.example"})
    mailroom.take(email())
    react()
    with ext.session() as session:
        (receipt,) = session.query(Outgoing).all()
    assert f"{pages.app.config['PUBLIC_URL']}/t/" in receipt.text
    assert "evil" not in receipt.text
    assert receipt.created_at == now()
