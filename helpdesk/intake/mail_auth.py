"""What our own mail server says about the sender: Authentication-Results (RFC 8601)."""

import re

from helpdesk.intake.inbound import Address
from helpdesk.intake.mail_words import unfold
from helpdesk.intake.mime import Headers

MAX_LENGTH = 8192

_RESULT = re.compile(r"\s*([a-z-]{1,20})(?:/\d+)?\s*=\s*([a-z]{1,20})\b")
_PROPERTY = re.compile(r"([a-z]{1,20})\.([a-z-]{1,20})\s*=\s*\"?([^\s\";]{1,320})")


def verdict(headers: Headers, sender: Address | None, authserv_id: str | None) -> str:
    """pass, fail or none.

    Only the topmost Authentication-Results counts, and only under the name of our own server:
    anybody can write the others. dmarc decides; without it an SPF or DKIM pass for the domain of
    the From address, or a parent of it, is a pass. (A child proves nothing without the list of
    public suffixes: evil.example.io does not speak for example.io.)
    """
    value = headers.get("authentication-results")
    if not value or not authserv_id or sender is None:
        return "none"
    name, *results = _results(unfold(value[:MAX_LENGTH]).lower())
    if name.split(maxsplit=1)[:1] != [authserv_id.lower()]:
        return "none"
    read = [(found, result) for result in results if (found := _RESULT.match(result))]
    dmarc = {found.group(2) for found, _ in read if found.group(1) == "dmarc"}
    if "fail" in dmarc:
        return "fail"
    domain = sender.email.rpartition("@")[2]
    if any(_confirms(f, r, domain) for f, r in read) or any(
        _aligned(f.group(1), f.group(2), r, domain) for f, r in read
    ):
        return "pass"
    return "none"


def _confirms(found: re.Match[str], text: str, domain: str) -> bool:
    """Whether DMARC passed, for the domain we read in the From field where it names one."""
    if (found.group(1), found.group(2)) != ("dmarc", "pass"):
        return False
    named = [v for kind, name, v in _PROPERTY.findall(text) if (kind, name) == ("header", "from")]
    return all(_related(one.rpartition("@")[2], domain) for one in named)


def _aligned(method: str, result: str, text: str, domain: str) -> bool:
    """Whether an SPF or DKIM pass speaks for the domain of the author."""
    if result != "pass":
        return False
    wanted = {"spf": {"smtp.mailfrom"}, "dkim": {"header.d", "header.i"}}.get(method, set())
    proven = [
        value.rpartition("@")[2].rstrip(".")
        for kind, name, value in _PROPERTY.findall(text)
        if f"{kind}.{name}" in wanted
    ]
    return any(_related(one, domain) for one in proven)


def _related(proven: str, domain: str) -> bool:
    """The same domain, or a parent of it that is no top-level domain."""
    return proven == domain or ("." in proven and domain.endswith(f".{proven}"))


def _results(text: str) -> list[str]:
    """The text cut at semicolons, without comments and without what stands in quotes.

    Both may hold words of the sender (a local part, a HELO name) that read like a result.
    Unbalanced ones make the header worthless.
    """
    out: list[list[str]] = [[]]
    depth, quoted, escaped = 0, False, False
    for char in text:
        if escaped or char == "\\":
            escaped = not escaped
        elif char == '"' and not depth:
            quoted = not quoted
            out[-1].append("_")
        elif quoted:
            continue
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif not depth and char == ";":
            out.append([])
        elif not depth:
            out[-1].append(char)
    return [""] if depth or quoted else ["".join(piece) for piece in out]
