"""What callers hear while this server is down: a document that the carrier keeps by itself."""

from helpdesk.calls import safe
from helpdesk.calls.carriers import carrier


def document() -> str:
    """An apology and "leave a message" in three languages, to be kept at the carrier (Twilio: a
    TwiML Bin) as the number's fallback. The message is fetched once this server is back.
    """
    return carrier().document(safe.script("fallback"))
