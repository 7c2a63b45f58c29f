"""The administrator lets a telephone exchange tell of its calls, and takes that away again."""

from flask import Flask

from tests.web.conftest import Pages


def opens(app: Flask, address: str) -> bool:
    path = address.removeprefix(app.config["PUBLIC_URL"])
    told = {"event": "started", "call_id": "1"}
    return app.test_client().post(path, json=told).status_code == 200


def test_the_address_is_made_shown_once_renewed_and_taken_away(app: Flask, pages: Pages) -> None:
    pages.log_in("ada")
    assert "No exchange can tell us of its calls" in pages.get("/admin/exchange").text
    address = pages.post("/admin/exchange").one("input[@id='f-made']").get("value") or ""
    assert opens(app, address)
    assert address.rpartition("/")[2] not in pages.get("/admin/exchange").html
    newer = pages.post("/admin/exchange").one("input[@id='f-made']").get("value") or ""
    assert (opens(app, address), opens(app, newer)) == (False, True)
    page = pages.post("/admin/exchange/off")
    assert "No exchange can tell us of its calls any more" in page.text
    assert not opens(app, newer)
