"""SMS: those that people write to our numbers, and ours with what becomes of them."""

from typing import Any
from xml.etree.ElementTree import ParseError, fromstring

from helpdesk.calls.providers.twin.engine import params
from helpdesk.calls.providers.twin.engine.exchange import Exchange, keep
from helpdesk.calls.providers.twin.engine.requests import Reply
from helpdesk.calls.providers.twin.engine.things import Hook, Message, new_sid

STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START = frozenset({"START", "YES", "UNSTOP"})
STEP_SECONDS = 1.0  # from queued to sent, and from sent to delivered
MOST_MEDIA = 10


def write(
    exchange: Exchange, from_: str, to: str, body: str, media: tuple[str, ...] = ()
) -> Message:
    """Somebody writes to one of our numbers; STOP and START are kept by the carrier too."""
    word = body.strip().upper()
    if word in STOP:
        exchange.stopped.add((from_, to))
    elif word in START:
        exchange.stopped.discard((from_, to))
    text = _add(exchange, "inbound", from_, to, body, "received", media=media[:MOST_MEDIA])
    hook = Hook.made(exchange.number(to).urls["sms_url"], "POST")
    if hook is not None:
        form = params.message(exchange.account.sid, text)
        exchange.tell(
            hook, form, kind="sms", call=None, done=lambda reply: _answer(exchange, text, reply)
        )
    return text


def send(
    exchange: Exchange,
    from_: str,
    to: str,
    body: str,
    hook: Hook | None,
    direction: str = "outbound-api",
) -> Message:
    """Send ours: queued, sent, delivered; or undelivered where a fault wants it."""
    text = _add(exchange, direction, from_, to, body, "queued", hook=hook)
    fault = exchange.faults.take("sms", to, body)
    states = ["sent", "undelivered" if fault else "delivered"]
    for number, state in enumerate(states, 1):
        error = fault.code if fault and state == "undelivered" else None
        exchange.agenda.after(number * STEP_SECONDS, _becomes(exchange, text, state, error))
    return text


def _becomes(exchange: Exchange, text: Message, state: str, error: int | None) -> Any:
    def become() -> None:
        text.status, text.error, text.updated_at = state, error, exchange.agenda.now()
        text.sent_at = text.sent_at or text.updated_at
        if text.hook is not None:
            form = params.message_status(exchange.account.sid, text)
            exchange.tell(text.hook, form, kind="sms-status", call=None)

    return become


def _answer(exchange: Exchange, text: Message, reply: Reply) -> None:
    """The webhook may answer with messages."""
    if not reply.ok or not reply.body.strip():
        return
    try:
        root = fromstring(reply.body)
    except ParseError as error:
        at = exchange.agenda.now()
        exchange.log.add(at, "", "error", None, problem=f"12100: Document parse failure: {error}")
        return
    for verb in root.iter("Message"):
        body = " ".join("".join(verb.itertext()).split())
        send(exchange, text.to, text.from_, body, None, "outbound-reply")


def _add(
    exchange: Exchange, direction: str, from_: str, to: str, body: str, status: str, **more: Any
) -> Message:
    at = exchange.agenda.now()
    sid = new_sid("MM" if more.get("media") else "SM")
    text = Message(sid, direction, from_, to, body, at, status, **more)
    keep(exchange.messages, text, lambda each: True)
    return text
