"""Takes the pictures of the README: starts the product with demo data and photographs it.

.venv/bin/python docs/take_screenshots.py
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = Path(__file__).parent / "screenshots"
PORT, SMTP_PORT = 18765, 18766
BASE = f"http://127.0.0.1:{PORT}"
AGENT = ("olena@helpdesk.localhost", "svitlo-demo-2026")
ADMIN = ("admin@helpdesk.localhost", "svitlo-demo-2026")
TAKER = ("denys@helpdesk.localhost", "svitlo-demo-2026")
BOSS = ("maryna@helpdesk.localhost", "svitlo-demo-2026")
CALLER = "Оксана Литвиненко"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
Scheme = Literal["light", "dark"]
DESK, PHONE = (1440, 900), (390, 844)
ASKED = "Не прийшли гроші за повернену лампу"
CLIENTS = (
    "Код клієнта;ПІБ;E-mail;Телефон;Місто;Мітки\n"
    "K-2001;Соломія Гнатюк;solomiia@client.example;067 200 10 01;Львів;постійна\n"
    "K-2002;Богдан Кравець;bohdan@client.example;067 200 10 02;Луцьк;\n"
    "K-2003;Галина Рибак;halyna@client;067 200 10 03;Стрий;\n"
    "K-2004;ТОВ «Ліхтар»;office@lihtar.example;044 200 10 04;Київ;гурт\n"
    "K-2005;Юрій Мороз;yurii@client.example;067 200;Умань;\n"
)


def start(folder: str) -> subprocess.Popen[bytes]:
    env = os.environ | {
        "HELPDESK_DATA_DIR": folder,
        "HELPDESK_DEMO": "1",
        "HELPDESK_HTTP_BIND": f"127.0.0.1:{PORT}",
        "HELPDESK_SMTP_BIND": f"127.0.0.1:{SMTP_PORT}",
    }
    process = subprocess.Popen([sys.executable, "-m", "helpdesk", "run"], cwd=ROOT, env=env)
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{BASE}/readyz", timeout=2):
                return process
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("the product did not start")


def visit(browser: Browser, size: tuple[int, int], scheme: Scheme) -> Page:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en"
    )
    return context.new_page()


def log_in(browser: Browser, who: tuple[str, str], size: tuple[int, int], scheme: Scheme) -> Page:
    page = visit(browser, size, scheme)
    page.goto(f"{BASE}/login")
    page.fill("input[name=email]", who[0])
    page.fill("input[name=password]", who[1])
    page.click("button[type=submit]")
    page.wait_for_url("**/desk*")
    return page


def photograph(page: Page, path: str, name: str) -> None:
    page.goto(BASE + path)
    keep(page, name)


def keep(page: Page, name: str) -> None:
    """A picture of the page as it is, once what it fetches is there."""
    page.wait_for_load_state("load")
    page.wait_for_timeout(600)
    page.screenshot(path=PICTURES / f"{name}.png")


def ticket_of(page: Page) -> str:
    """A ticket of the agent's list with something to see."""
    page.goto(f"{BASE}/desk")
    return str(page.locator("#rows a.row").nth(1).get_attribute("href"))


def first(page: Page, path: str, links: str) -> str:
    """Where the first of these links on a page leads."""
    page.goto(BASE + path)
    return str(page.locator(links).first.get_attribute("href"))


def language(page: Page, code: str) -> None:
    page.goto(f"{BASE}/desk/me")
    page.select_option("select[name=language]", code)
    page.click("form[action='/desk/me'] button")


def desk(browser: Browser) -> None:
    """Queue, ticket and client, for an agent at a desk and on a phone."""
    agent = log_in(browser, AGENT, DESK, "light")
    language(agent, "en")
    path = ticket_of(agent)
    photograph(agent, path, "ticket-en")
    client = first(agent, path, "a[href^='/desk/clients/']")
    language(agent, "uk")
    photograph(agent, client, "client-uk")
    phone = log_in(browser, AGENT, PHONE, "dark")
    photograph(phone, "/desk", "queue-uk-phone")
    photograph(phone, path, "ticket-uk-phone")


def administration(browser: Browser) -> None:
    """Promises, the editor, two records of one client, and a table on its way in."""
    admin = log_in(browser, ADMIN, DESK, "light")
    language(admin, "ru")
    admin.goto(f"{BASE}/admin/policies")
    policies = admin.locator("th a[href^='/admin/policies/']")
    policy = policies.filter(has_text="VIP").first.get_attribute("href")
    photograph(admin, str(policy), "policy-ru")
    language(admin, "en")
    stale = first(admin, "/desk/kb?view=stale", "th a[href^='/desk/kb/']")
    photograph(admin, stale.replace("?lang=", "/edit?lang="), "kb-editor-en")
    photograph(admin, "/desk/clients/1/merge?with=2", "merge-en")
    bring_in(admin)


def bring_in(admin: Page) -> None:
    """Import a table as far as its check, which finds what is wrong."""
    admin.goto(f"{BASE}/admin/import")
    file = {"name": "clients.csv", "mimeType": "text/csv", "buffer": CLIENTS.encode()}
    admin.set_input_files("input[type=file]", file)  # type: ignore[arg-type]
    admin.click("form[action='/admin/import'] button.primary")
    admin.wait_for_url("**/admin/import/*")
    keep(admin, "import-columns-en")
    run = admin.url
    admin.click("form[action$='/map'] button.primary")
    for _ in range(40):
        admin.goto(run)
        if admin.locator("form[action$='/start']").count():
            break
        admin.wait_for_timeout(500)
    keep(admin, "import-en")


def telephone(browser: Browser) -> None:
    """A caller in the simulator, and the agent who takes the call."""
    agent = log_in(browser, TAKER, DESK, "light")
    language(agent, "ru")
    agent.goto(f"{BASE}{ticket_of(agent)}")
    agent.locator("#presence button").first.click()
    agent.locator("#presence [value=available]").click()
    caller = log_in(browser, ADMIN, DESK, "light")
    language(caller, "uk")
    caller.goto(f"{BASE}/simulator")
    if caller.locator("[value=open]").count():  # whatever the hour is, the queue is open
        caller.click("[value=open]")
    known = caller.locator("#f-from option", has_text=CALLER).first.get_attribute("value")
    caller.select_option("#f-from", known)
    caller.click("#sim-go")
    caller.locator("#sim-said .them").first.wait_for()
    caller.wait_for_timeout(1_500)
    caller.keyboard.press("Digit0")
    agent.locator("#ringing [data-accept]").wait_for()
    keep(agent, "call-ringing-ru")
    keep(caller, "simulator-uk")
    agent.click("#ringing [data-accept]")
    agent.locator("#callbar .stop").wait_for()
    agent.wait_for_timeout(3_000)
    keep(agent, "call-live-ru")
    agent.click("#callbar .stop")
    agent.wait_for_url("**/desk/call/*")
    keep(agent, "call-wrapup-ru")
    phone = log_in(browser, ADMIN, PHONE, "dark")
    photograph(phone, caller.url.removeprefix(BASE), "simulator-uk-phone")


def supervision(browser: Browser) -> None:
    """The wallboard while somebody is on shift, and reports in three languages."""
    agent = log_in(browser, TAKER, DESK, "light")
    agent.locator("#presence button").first.click()
    agent.locator("#presence [value=available]").click()
    boss = log_in(browser, BOSS, DESK, "dark")
    language(boss, "en")
    photograph(boss, "/supervisor", "wallboard-en")
    boss = log_in(browser, BOSS, DESK, "light")
    language(boss, "uk")
    photograph(boss, "/supervisor/reports/work", "report-work-uk")
    language(boss, "ru")
    photograph(boss, "/supervisor/reports/calls?period=90d", "report-calls-ru")
    language(boss, "en")
    photograph(boss, "/supervisor/reports/sla?by=slot&period=90d", "report-sla-en")
    phone = log_in(browser, BOSS, PHONE, "dark")
    photograph(phone, "/supervisor/reports/causes?period=90d", "report-causes-phone")


def portal(browser: Browser) -> None:
    """What customers see: the start page, an answer, the form, the conversation."""
    customer = visit(browser, DESK, "light")
    photograph(customer, "/uk/", "portal-uk")
    photograph(customer, first(customer, "/ru/", "section a[href*='/help/']"), "article-ru")
    ask(customer)
    phone = visit(browser, PHONE, "dark")
    photograph(phone, "/uk/", "portal-uk-phone")
    phone.goto(f"{BASE}/uk/")
    phone.locator("input[name=q]").press_sequentially("djpdhfn", delay=30)
    keep(phone, "search-uk-phone")


def ask(customer: Page) -> None:
    """Send the form; the page that follows is the conversation."""
    customer.goto(f"{BASE}/ask?lang=uk")
    customer.locator("textarea[name=text]").press_sequentially(ASKED, delay=10)
    customer.locator("#suggested details").first.wait_for()
    keep(customer, "ask-uk")
    customer.fill("input[name=name]", "Оксана")
    customer.fill("input[name=contact]", "oksana@client.example")
    customer.wait_for_timeout(3_500)  # nobody fills a form in sooner
    customer.click("form[data-ask] button.primary")
    customer.wait_for_url("**/t/*")
    keep(customer, "conversation-uk")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        product = start(folder)
        try:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            for part in (desk, administration, telephone, supervision, portal):
                part(browser)
            browser.close()
        finally:
            product.terminate()
            product.wait(20)


if __name__ == "__main__":
    main()
