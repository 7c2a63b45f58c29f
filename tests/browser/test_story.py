"""The main path, as all its people see it: a client, an agent, a supervisor."""

import json
import re
import time
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DOMAIN, House, Visitor, text_of
from tests.product import until

pytestmark = pytest.mark.browser

CLIENT = "irina@klient.example"
WITHIN_SIGHT = "[...document.querySelectorAll('#rows .row')].map(row => [row.getAttribute('href'), \
row.getBoundingClientRect().top])"


def messages_of(page: Page, look: str = "") -> Any:
    return page.locator(f".thread .msg{look}")


def test_an_email_is_answered_and_the_answer_comes_back(visit: Visitor, house: House) -> None:
    """Arrives without reload, is read and answered by keys, and stays one conversation."""
    agent = visit("denys")
    with agent.expect_response(lambda answer: answer.url.endswith("/events")):
        agent.goto("/desk?view=all")
    agent.locator("#rows .row").nth(1).hover()
    before = agent.evaluate(WITHIN_SIGHT)
    house.email(
        "Здравствуйте! Чайник течёт снизу. Что делать?",
        From=f"Ирина Смирнова <{CLIENT}>",
        To=f"support@{DOMAIN}",
        Subject="Течёт чайник",
        Message_ID="<first@klient.example>",
    )
    expect(agent.locator("#fresh")).to_be_visible()
    assert agent.evaluate(WITHIN_SIGHT) == before
    agent.locator("#fresh").click()
    row = agent.locator("#rows .row", has_text="Ирина Смирнова")
    expect(row).to_be_visible()

    agent.keyboard.press("KeyK")
    for _step in range(agent.locator("#rows .row").count()):
        if "Ирина" in agent.evaluate("document.activeElement.textContent"):
            break
        agent.keyboard.press("KeyJ")
    expect(row).to_be_focused()
    agent.keyboard.press("Enter")
    expect(agent.locator("h1")).to_have_text("Течёт чайник")
    expect(messages_of(agent)).to_contain_text("Чайник течёт снизу")
    number = re.search(r"/desk/t/(\d+)", agent.url)[1]  # type: ignore[index]

    receipt = house.outgoing(CLIENT)
    check_receipt(text_of(receipt), receipt.parsed["Subject"], number)
    agent.keyboard.press("KeyR")
    agent.keyboard.type("Не включайте его. Заменим завтра.")
    agent.keyboard.press("Control+Enter")
    expect(agent.locator("#undo")).to_be_visible()
    reply = house.outgoing(CLIENT, "Заменим завтра").parsed
    expect(messages_of(agent, ".out")).to_contain_text("Заменим завтра")
    assert reply["Subject"] == "Re: Течёт чайник"
    assert reply["In-Reply-To"] == "<first@klient.example>"
    assert "<first@klient.example>" in reply["References"]
    assert "support" in reply["From"].casefold()
    assert reply["Message-ID"].endswith(f"@{DOMAIN}>")
    assert reply["Reply-To"].addresses[0].addr_spec != f"support@{DOMAIN}"

    house.email(
        "Спасибо, жду завтра.",
        From=f"Ирина Смирнова <{CLIENT}>",
        To=str(reply["Reply-To"]),
        Subject="Re: Течёт чайник",
        Message_ID="<second@klient.example>",
        In_Reply_To=reply["Message-ID"],
        References=f"{reply['References']} {reply['Message-ID']}",
    )
    expect(messages_of(agent).last).to_contain_text("Спасибо, жду завтра.")
    assert agent.url.split("?")[0].endswith(number)
    mine = "SELECT count(*) FROM ticket WHERE subject LIKE '%Течёт чайник'"
    assert house.product.rows(mine) == [(1,)]

    customer = visit()
    customer.goto(link_in(text_of(receipt)))
    for text in ("Чайник течёт снизу", "Заменим завтра", "Спасибо, жду завтра"):
        expect(customer.locator("#talk")).to_contain_text(text)
    assert customer.locator("html").get_attribute("lang") == "ru"
    customer.fill("#f-text", "Дома буду после шести.")
    customer.click("#write button")
    expect(customer.locator("#talk")).to_contain_text("после шести")
    expect(messages_of(agent).last).to_contain_text("Дома буду после шести.")
    assert len([taken for taken in house.relay.taken if taken.recipients == [CLIENT]]) == 2


def check_receipt(text: str, subject: str, number: str) -> None:
    """In the client's language, with number, link and the promise, and none of their words."""
    assert number in subject and "зарегистрировано" in subject
    assert number in text and "Ответим до" in text and "/t/" in text
    assert "айник" not in text + subject and "Ирина" not in text


def link_in(text: str) -> str:
    return next(word for word in text.split() if "/t/" in word)


def test_a_promise_is_broken_and_the_supervisor_hears_it_once(visit: Visitor, house: House) -> None:
    """A queue that promises seconds: the clock warns, is late, and one step follows."""
    token = house.token()
    queue = api(house, token, "queues", {"name": "Срочные", "address": f"urgent@{DOMAIN}"})
    policy = api(
        house,
        token,
        "policies",
        {"name": "Секунды", "queue": queue["id"], "targets": {"first_response": 10}},
    )
    admin = visit("admin")
    admin.goto(f"/admin/policies/{policy['id']}")
    expect(admin.locator("#f-first_response")).to_have_value("0:00:10")
    admin.fill("[name=warn_percent]", "40")
    admin.click("[name=more]")
    admin.locator("[name=act]").last.select_option("notify:supervisor")
    admin.locator("[name=after]").last.fill("0:00:01")
    admin.locator("button[form=policy]").click()
    expect(admin.locator(".flash[role=status]")).to_be_visible()

    supervisor, agent = visit("maryna"), visit("denys")
    supervisor.goto("/desk?view=breached")
    agent.goto(f"/desk?view=queue:{queue['id']}")
    house.email(
        "Пожар!", From="fire@klient.example", To=f"urgent@{DOMAIN}", Subject="Дым из розетки"
    )
    row = agent.locator("#rows .row", has_text="Дым из розетки")
    expect(row).to_be_visible()
    expect(row.locator(".clock")).to_have_attribute("data-tone", "warn")
    expect(row.locator(".clock")).to_have_attribute("data-tone", "bad")
    row.click()
    expect(agent.locator(".thead .chip[data-tone=bad]")).to_be_visible()

    maryna = f"maryna@{DOMAIN}"
    assert "Дым из розетки" in text_of(house.outgoing(maryna))
    expect(supervisor.locator("#bell em")).to_be_visible()
    supervisor.goto("/desk/notices")
    notices = supervisor.locator("main li", has_text="Дым из розетки")
    ticket = "SELECT id FROM ticket WHERE subject = 'Дым из розетки'"
    time.sleep(3)  # three more sweeps: nothing follows
    kinds = f"SELECT kind, count(*) FROM event WHERE ticket_id = ({ticket}) GROUP BY 1"
    found = {k: n for k, n in house.product.rows(kinds) if str(k).startswith("clock.")}
    assert {k: found.get(f"clock.{k}") for k in ("warned", "breached", "stepped")} == {
        "warned": 1,
        "breached": 1,
        "stepped": 1,
    }
    emails = [text_of(taken) for taken in house.relay.taken if taken.recipients == [maryna]]
    assert len([text for text in emails if "Дым из розетки" in text]) == 1
    told = f"SELECT count(*) FROM notice n JOIN user u ON u.id = n.user_id \
        WHERE u.email = '{maryna}' AND n.kind = 'clock.stepped' AND n.ticket_id = ({ticket})"
    until(lambda: house.product.rows(told) == [(1,)])
    assert notices.count() == 3  # warned, late, the step
    supervisor.goto("/supervisor/promises")
    expect(supervisor.locator("main table")).to_contain_text("Дым из розетки")


def api(house: House, token: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{house.url}/api/v1/{what}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        made: dict[str, Any] = json.load(answer)
        return made
