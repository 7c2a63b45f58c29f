import threading
from werkzeug.serving import make_server
import pytest
from tests.web.test_client_page import *  # noqa
from tests.web.test_client_page import full, path
from helpdesk.clients import fact_actions
from helpdesk import files
from helpdesk.tickets.models import Ticket
from tests.cast import PASSWORD

@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_shot(app, pages, path, chromium, cast, desk):
    from datetime import timedelta
    with ext.write() as session:
        client = session.get_one(Client, 1)
        fact_actions.add_note(session, client, "Prefers to be called before noon; speaks Ukrainian.", user_id=1, at=now())
        fact_actions.make_promise(session, client, "Call back about the filter", due_at=now()+timedelta(hours=4), user_id=1, at=now())
        fact_actions.add_document(session, client, sha256=files.put(b"act"), size=3, filename="act-118.pdf", content_type="application/pdf", actor=BY["actor"], at=now())
        client.language="uk"; client.about="Speak slowly."
        for n in range(3):
            billing.put_purchase(session, client, {"external_id": f"P{n}", "amount": 378000, "currency":"UAH","title":"HX-200 water filter","bought_on": now().date()-timedelta(days=10*n)}, at=now(), **BY)
    server = make_server("127.0.0.1", 8765, app, threaded=True)
    t = threading.Thread(target=server.serve_forever); t.start()
    try:
        for name, size, theme in (("desk", (1440, 1100), "light"), ("phone", (390, 844), "dark"), ("mid",(1024,800),"light")):
            context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme, locale="en")
            page = context.new_page()
            page.goto("http://127.0.0.1:8765/login"); page.fill("[name=email]", "alice@example.com"); page.fill("[name=password]", PASSWORD); page.press("[name=password]", "Enter"); page.wait_for_url("**/desk*")
            for where in ("", "/edit", "/people/1", "/ticket", "/items/new"):
                page.goto("http://127.0.0.1:8765"+path+where)
                if not where: page.evaluate("document.querySelectorAll('#promises details').forEach(d=>d.open=true)")
                print("OVER", name, where, page.evaluate("document.documentElement.scrollWidth"))
                page.screenshot(path=f"/tmp/shot{where.replace('/','-')}-{name}.png", full_page=False)
            if name!="desk":
                page.goto("http://127.0.0.1:8765"+path)
                page.evaluate("document.querySelector('main').style.overflow='visible'; document.body.style.height='auto'")
                page.screenshot(path=f"/tmp/shot-long-{name}.png", full_page=True)
            context.close()
    finally:
        server.shutdown(); t.join()
