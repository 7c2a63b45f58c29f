"""Pictures that an email wants from elsewhere: not loaded, until the reader asks for them."""

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.lib import fetch
from helpdesk.lib.fetch import NotFetched
from helpdesk.lib.html import sanitize
from helpdesk.tickets.models import Message
from tests.web.conftest import Desk, Pages

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
HTML = (
    '<p>Sale<img src="https://shop.example/a.png?x=1&amp;y=2" alt="Lamp">'
    '<img src="https://tracker.example/1.gif" alt="dot"></p>'
)


def test_they_come_on_request_and_what_fails_keeps_its_words(
    alice: Pages, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def picture(url: str, **_limits: object) -> tuple[str, bytes]:
        asked.append(url)
        if "tracker" in url:
            raise NotFetched("404")
        return "image/png", PNG

    monkeypatch.setattr(fetch, "picture", picture)
    number = desk.ticket(html=sanitize(HTML))
    with ext.session() as session:
        message = session.scalars(select(Message.id).order_by(Message.id.desc())).first()
    page = alice.get(f"/desk/t/{number}")
    (link,) = [a for a in page.all("a") if a.get("href", "").endswith("/html?pictures")]
    assert link.get("target") == f"mail{message}"
    plain = alice.raw("GET", f"/desk/messages/{message}/html")
    assert "data:image" not in plain.text
    assert asked == []
    shown = alice.raw("GET", link.get("href", ""))
    assert "data:image/png;base64," in shown.text
    assert sorted(asked) == ["https://shop.example/a.png?x=1&y=2", "https://tracker.example/1.gif"]
    assert 'alt="dot"' in shown.text and "tracker.example" not in shown.text.split("data-src")[0]
    assert "img-src data:;" in shown.headers["Content-Security-Policy"]
