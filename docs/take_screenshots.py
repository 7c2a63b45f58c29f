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

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = Path(__file__).parent / "screenshots"
PORT, SMTP_PORT = 18765, 18766
BASE = f"http://127.0.0.1:{PORT}"
AGENT = ("olena@helpdesk.localhost", "svitlo-demo-2026")
ADMIN = ("admin@helpdesk.localhost", "svitlo-demo-2026")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


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


def log_in(browser: Browser, who: tuple[str, str], width: int, height: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en"
    )
    page = context.new_page()
    page.goto(f"{BASE}/login")
    page.fill("input[name=email]", who[0])
    page.fill("input[name=password]", who[1])
    page.click("button[type=submit]")
    page.wait_for_url("**/desk*")
    return page


def photograph(page: Page, path: str, name: str) -> None:
    page.goto(BASE + path)
    page.wait_for_load_state("load")
    page.wait_for_timeout(600)
    page.screenshot(path=PICTURES / f"{name}.png")


def ticket_of(page: Page) -> str:
    """A ticket of the agent's list with something to see."""
    page.goto(f"{BASE}/desk")
    return str(page.locator("#rows a.row").nth(1).get_attribute("href"))


def language(page: Page, code: str) -> None:
    page.goto(f"{BASE}/desk/me")
    page.select_option("select[name=language]", code)
    page.click("form[action='/desk/me'] button")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        product = start(folder)
        try:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            agent = log_in(browser, AGENT, 1440, 900, "light")
            language(agent, "en")
            path = ticket_of(agent)
            photograph(agent, path, "ticket-en")
            language(agent, "uk")
            phone = log_in(browser, AGENT, 390, 844, "dark")
            photograph(phone, "/desk", "queue-uk-phone")
            photograph(phone, path, "ticket-uk-phone")
            admin = log_in(browser, ADMIN, 1440, 900, "light")
            language(admin, "ru")
            admin.goto(f"{BASE}/admin/policies")
            policies = admin.locator("th a[href^='/admin/policies/']")
            policy = policies.filter(has_text="VIP").first.get_attribute("href")
            photograph(admin, str(policy), "policy-ru")
            browser.close()
        finally:
            product.terminate()
            product.wait(20)


if __name__ == "__main__":
    main()
