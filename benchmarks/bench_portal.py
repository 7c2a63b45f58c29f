"""Customers' pages on bases of 100, 1,000 and 10,000 articles in three languages: what they cost
the server and readers, and what a browser loads.

Readers come without cookies and say that they are browsers, so that what they look for and read is
written down as in real life; they work on a copy.
"""

import http.client
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from urllib.parse import quote

from sqlalchemy import select

from benchmarks import pages, product, weight
from benchmarks.bench_pages import in_process, over_http
from benchmarks.generate import SEED, kept_articles
from benchmarks.place import application, copied, environment
from benchmarks.report import Report
from helpdesk import ext
from helpdesk.kb.models import ArticleText, Category, State
from helpdesk.kb.queries import public_path
from helpdesk.lib.stems import LANGUAGES

SIZES = (100, 1_000, 10_000)
CPU, SEARCH_MS, FIRST_KB, LATER_KB = 15.0, 30.0, 100.0, 30.0
BUDGETS = {"search": (SEARCH_MS, 150.0)}
PAGE_BUDGETS = (50.0, 150.0)
SECONDS = 2.0
BROWSER = {"User-Agent": "Mozilla/5.0", "Accept-Encoding": "gzip"}
TYPED = 3  # of what is asked, beginnings of so many letters and more

Pages = Mapping[str, Sequence[str]]


def measure(_size: str, report: Report) -> None:
    """Note the figures of all sizes; what a browser loads, at the middle one."""
    for count in SIZES:
        with copied(kept_articles(count)) as folder:
            app = application(folder)
            with app.app_context():
                found = addresses()
            entry = pages.enter(app)
            for name, paths in found.items():
                label = f"{count:,} articles: {name}"
                in_process(report, app, label, paths, _headers(name, entry), CPU)
            with app.app_context():
                ext.db.engine.dispose()
            settings = environment(folder)
            with product.running(settings, "web") as parts:
                bind = settings["HELPDESK_HTTP_BIND"]
                _load(report, parts["web"], bind, count, found, entry)
                if count == SIZES[1]:
                    _weigh(report, bind, found)


def addresses() -> Pages:
    """Paths of readers by the name of the page, the same for the same base."""
    draw = random.Random(SEED)
    with ext.session() as session:
        texts = session.execute(
            select(ArticleText.lang, ArticleText.slug).where(ArticleText.state == State.PUBLIC)
        ).all()
        keys = list(session.scalars(select(Category.key).order_by(Category.id)))
    asked = [(draw.choice(LANGUAGES), text) for text in pages.asked(pages.ADDRESSES)]
    begun = [(lang, text[: draw.randint(TYPED, len(text))]) for lang, text in asked]
    return {
        "home": [f"/{lang}/" for lang in LANGUAGES],
        "topic": [f"/{lang}/topics/{key}" for key in keys for lang in LANGUAGES],
        "article": [public_path(*draw.choice(texts)) for _ in range(pages.ADDRESSES)],
        "search": [f"/{lang}/search?q={quote(text)}" for lang, text in asked],
        "search while typing": [f"/{lang}/search?q={quote(text)}" for lang, text in begun],
        "API search": [f"/api/v1/kb/search?q={quote(text)}&lang={lang}" for lang, text in asked],
    }


def _headers(name: str, entry: pages.Entry) -> Mapping[str, str]:
    if name.startswith("API"):
        return entry.headers(name)
    return BROWSER | pages.PART if "typing" in name else BROWSER


def _load(
    report: Report,
    web: product.Part,
    bind: str,
    count: int,
    found: Pages,
    entry: pages.Entry,
) -> None:
    port = int(bind.rpartition(":")[2])
    for name, paths in found.items():
        budgets = next((BUDGETS[key] for key in BUDGETS if key in name), PAGE_BUDGETS)
        label, header = f"{count:,} articles: {name}", _headers(name, entry)
        over_http(report, web, port, label, paths, header, budgets=budgets, seconds=SECONDS)


def _weigh(report: Report, bind: str, found: Pages) -> None:
    """A first visit, and the same page with what browsers keep already there."""
    connection = http.client.HTTPConnection(bind, timeout=30)
    for name in ("home", "article", "search"):
        first: list[float] = []
        later: list[float] = []
        for path in found[name][:30]:
            with suppress(weight.NotFound):
                one = weight.of_page(connection, path, BROWSER)
                first.append(one.first / 1000)
                later.append(one.page / 1000)
        report.add(f"{name}: first load, largest", max(first), "kB", at_most=FIRST_KB)
        report.add(f"{name}: first load, mean", sum(first) / len(first), "kB")
        report.add(f"{name}: later, largest", max(later), "kB", at_most=LATER_KB)
    connection.close()
