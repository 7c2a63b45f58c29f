"""Looks at a page as a careful reader would: valid, labelled, safe, nothing inline."""

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree

import html5lib

Element = ElementTree.Element

STRICT_CSP = ("default-src 'none'", "base-uri 'none'", "frame-ancestors")
UNSAFE_CSP = ("unsafe-", "data:", "blob:", "*", "http:")
NO_LABEL = {"hidden", "submit", "button", "image", "reset"}


def parse(text: str) -> Element:
    """The page, or the fragment, as a tree. Raises html5lib's ParseError if it is not valid."""
    parser = html5lib.HTMLParser(
        tree=html5lib.getTreeBuilder("etree", ElementTree),
        strict=True,
        namespaceHTMLElements=False,
    )
    if "<!doctype" in text[:200].lower():
        tree: Element = parser.parse(text)
        return tree
    whole = Element("body")
    whole.extend(parser.parseFragment(text, container="body"))
    return whole


def inspect(tree: Element, *, whole: bool) -> list[str]:
    """What is wrong with a page, in words; empty for a good one."""
    found = [*_ids(tree), *_labels(tree), *_forms(tree), *_inline(tree), *_names(tree)]
    return [*found, *_outline(tree)] if whole else found


def inspect_csp(policy: str) -> list[str]:
    """What of a Content-Security-Policy is not strict."""
    missing = [part for part in STRICT_CSP if part not in policy]
    return missing + [part for part in UNSAFE_CSP if part in policy]


def text_of(element: Element) -> str:
    """Visible text, spaces folded."""
    return " ".join("".join(element.itertext()).split())


def _outline(tree: Element) -> Iterator[str]:
    titles = [text_of(title) for title in tree.iter("title")]
    if len(titles) != 1 or not titles[0].strip(" —"):
        yield f"one title is needed: {titles}"
    headings = len(list(tree.iter("h1")))
    if headings != 1:
        yield f"exactly one h1 is needed, not {headings}"
    if len(list(tree.iter("main"))) != 1:
        yield "exactly one main is needed"
    html = next(tree.iter("html"), tree)
    if html.get("lang") not in ("en", "ru", "uk"):
        yield f"html lang is {html.get('lang')}"


def _ids(tree: Element) -> Iterator[str]:
    count = Counter(e.get("id") for e in tree.iter() if e.get("id"))
    yield from (f"id {name} occurs {n} times" for name, n in count.items() if n > 1)


def _labels(tree: Element) -> Iterator[str]:
    labelled = {label.get("for") for label in tree.iter("label")}
    inside = {id(e) for label in tree.iter("label") for e in label.iter()}
    for kind in ("input", "select", "textarea"):
        for field in tree.iter(kind):
            if kind == "input" and field.get("type", "text") in NO_LABEL:
                continue
            named = field.get("id") in labelled or id(field) in inside or field.get("aria-label")
            if not named:
                yield f"{kind} {field.get('name')} has no label"


def _forms(tree: Element) -> Iterator[str]:
    for form in tree.iter("form"):
        if (form.get("method") or "get").lower() != "post":
            continue
        tokens = [i for i in form.iter("input") if i.get("name") == "csrf_token" and i.get("value")]
        if len(tokens) != 1:
            yield f"form {form.get('action')} has {len(tokens)} tokens"


def _inline(tree: Element) -> Iterator[str]:
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        is_data = element.tag == "script" and element.get("type") == "application/ld+json"
        if element.tag == "style" or (
            element.tag == "script" and not element.get("src") and not is_data
        ):
            yield f"inline {element.tag}"
        for name, value in element.attrib.items():
            if name == "style" or re.match(r"on[a-z]+$", name) or "javascript:" in value.lower():
                yield f"inline {name} on {element.tag}"


def _names(tree: Element) -> Iterator[str]:
    for element in tree.iter():
        if element.tag in ("a", "button") and "hidden" not in element.attrib and not _name(element):
            yield f"{element.tag} {element.attrib} has no name"
        if element.tag == "img" and element.get("alt") is None:
            yield f"img {element.get('src')} has no alt"
        for reference in ("aria-labelledby", "aria-describedby"):
            for wanted in (element.get(reference) or "").split():
                if tree.find(f".//*[@id='{wanted}']") is None:
                    yield f"{reference} {wanted} leads nowhere"


def _name(element: Element) -> str:
    inner = (e.get("aria-label") or e.get("alt") or "" for e in element.iter())
    return text_of(element) or "".join(inner).strip()
