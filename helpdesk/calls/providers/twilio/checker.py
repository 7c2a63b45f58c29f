"""Refuses the TwiML that Twilio would refuse: unknown verbs, attributes and nestings.

The twilio library takes any keyword, so that `gather(languge=…)` passes silently. What is allowed
is read from the signatures of its methods: it follows the library when that is upgraded.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from twilio.twiml import TwiML, lower_camel, voice_response

LARGEST = 64 * 1024  # bytes of a document
LONGEST_SAY = 4_096  # characters, also of its nested words

WAITING = frozenset({"Play", "Say", "Pause", "Hangup", "Redirect", "Leave", "Gather"})
"""The verbs of a document that a waitUrl of Enqueue answers."""
_ALONE = ("Reject",)
_ADDRESSES = ("action", "url", "waitUrl", "statusCallback", "recordingStatusCallback")
_METHODS = ("method", "waitUrlMethod", "statusCallbackMethod", "recordingStatusCallbackMethod")
_XML = "{http://www.w3.org/XML/1998/namespace}"


@dataclass(frozen=True)
class Noun:
    """What may be nested in a kind of element, by its name."""

    children: Mapping[str, Any]  # the library's class
    attributes: Mapping[str, frozenset[str]]  # of each child


def check(xml: str, *, waiting: bool = False) -> Sequence[str]:
    """What Twilio would refuse in a document, as plain words; nothing if it is fine.

    `waiting`: the document answers a waitUrl of Enqueue, where few verbs are allowed.
    """
    if len(xml.encode("utf-8", "surrogatepass")) > LARGEST:
        return [f"the document is larger than {LARGEST} bytes"]
    if "<!" in xml:  # no entity is ever expanded
        return ["a document type or a comment is not allowed"]
    try:
        root = ElementTree.fromstring(xml.encode("utf-8"))
    except (ElementTree.ParseError, UnicodeEncodeError) as error:
        return [f"this is no XML: {error}"]
    if root.tag != "Response" or root.attrib:
        return [f"the root must be <Response>, not <{root.tag}>"]
    return [*_order(root), *_waiting(root, waiting), *_nested(root, voice_response.VoiceResponse)]


def _order(root: Element) -> Iterator[str]:
    if len(root) > 1:
        yield from (f"<{verb}> must stand alone" for verb in _ALONE if root.find(verb) is not None)


def _waiting(root: Element, waiting: bool) -> Iterator[str]:
    if waiting:
        bad = [child.tag for child in root if child.tag not in WAITING]
        yield from (f"<{verb}> not allowed while waiting in a queue" for verb in bad)


def _nested(parent: Element, kind: Any) -> Iterator[str]:
    noun = _noun(kind)
    for child in parent:
        if child.tag not in noun.children:
            yield f"<{child.tag}> not allowed in <{parent.tag}>"
            continue
        allowed = noun.attributes[child.tag]
        given = [name.replace(_XML, "xml:") for name in child.attrib]
        yield from (
            f"@{name} not allowed on <{child.tag}>" for name in given if name not in allowed
        )
        yield from _values(child)
        yield from _nested(child, noun.children[child.tag])


def _values(element: Element) -> Iterator[str]:
    """Addresses are whole ones in ASCII, methods are GET or POST, words are not too long."""
    for name in _ADDRESSES:
        value = element.get(name)
        if value and not is_address(value):
            yield f"@{name} of <{element.tag}> is no address: {value[:80]!r}"
    for name in _METHODS:
        if element.get(name, "POST") not in ("GET", "POST"):
            yield f"@{name} of <{element.tag}> must be GET or POST"
    words = "".join(element.itertext())
    if element.tag == "Say" and not 0 < len(words.strip()) <= len(words) <= LONGEST_SAY:
        yield f"<Say> must have 1 to {LONGEST_SAY} characters, not {len(words)}"
    if element.tag in ("Play", "Redirect") and not is_address(words) and not element.get("digits"):
        yield f"<{element.tag}> needs an address, not {words[:80]!r}"
    if element.tag in ("Number", "Conference", "Client") and not words.strip():
        yield f"<{element.tag}> is empty"


def is_address(value: str) -> bool:
    """Whether Twilio can fetch it: whole, in ASCII, without spaces."""
    host = value.partition("://")[2].partition("/")[0]
    ascii_ = value.isascii() and value.isprintable() and " " not in value
    return ascii_ and value.startswith(("https://", "http://")) and bool(host)


@cache
def _noun(kind: Any) -> Noun:
    """Read from the library: the methods of a class are what may be nested in it."""
    children: dict[str, Any] = {}
    attributes: dict[str, frozenset[str]] = {}
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        made = None if name.startswith("_") or hasattr(TwiML, name) else _made(kind, name, method)
        if made is None:
            continue
        tag = made.name
        texts = set(inspect.signature(type(made).__init__).parameters)
        named = [p for p in inspect.signature(method).parameters if p not in texts]
        children[tag] = type(made)
        attributes[tag] = frozenset(_attribute(p) for p in named)
    return Noun(children, attributes)


def _made(kind: Any, name: str, method: Any) -> Any:
    """What the method nests, tried on an object of the class that has no text of its own."""
    parent = kind.__new__(kind)
    TwiML.__init__(parent)
    needed = [
        p.name
        for p in inspect.signature(method).parameters.values()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"
    ]
    found = getattr(parent, name)(**dict.fromkeys(needed, "x"))
    return found if isinstance(found, TwiML) else None


def _attribute(parameter: str) -> str:
    named: str = lower_camel(TwiML.MAP.get(parameter, parameter))
    return named
