"""Documents that came back: well-formed, of a right kind, with verbs that may stand there."""

from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element, ParseError, fromstring

from helpdesk.calls.providers.twin.engine.requests import Reply

Check = Callable[[str], Sequence[str]]

WHILE_WAITING = frozenset({"Play", "Say", "Pause", "Hangup", "Redirect", "Leave", "Gather"})
"""What a queue's waitUrl may answer."""
AS_MUSIC = frozenset({"Play", "Say", "Pause", "Redirect"})
"""What a conference's waitUrl and a holdUrl may answer."""
MAX_BYTES = 64 << 10
XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})


class Refused(Exception):
    """Twilio would not run it. `code`: its number of the error."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


def verbs(reply: Reply, allowed: frozenset[str] | None, check: Check) -> list[Element]:
    """The verbs of an answer in their order. Raises Refused."""
    if not reply.ok:
        raise Refused(
            reply.error or 11200, f"HTTP retrieval failure: {reply.status or 'no answer'}"
        )
    if reply.content_type.partition(";")[0].strip().lower() not in XML_TYPES:
        raise Refused(12300, f"Invalid Content-Type: {reply.content_type or 'none'}")
    if len(reply.body) > MAX_BYTES:
        raise Refused(11750, "The document is larger than 64 kB")
    return parsed(reply.body.decode("utf-8", "replace"), allowed, check)


def parsed(text: str, allowed: frozenset[str] | None, check: Check) -> list[Element]:
    """The verbs of a document. Raises Refused."""
    try:
        root = fromstring(text)
    except ParseError as error:
        raise Refused(12100, f"Document parse failure: {error}") from error
    if root.tag != "Response":
        raise Refused(12102, f"<{root.tag}> must be <Response>")
    if wrong := check(text):
        raise Refused(12200, "; ".join(wrong))
    strays = sorted({verb.tag for verb in root if allowed is not None and verb.tag not in allowed})
    if strays:
        raise Refused(13233, f"Not allowed while waiting: {', '.join(strays)}")
    return list(root)
