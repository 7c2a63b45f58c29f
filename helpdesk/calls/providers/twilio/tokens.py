"""The token by which an agent's browser registers as a telephone."""

from dataclasses import dataclass

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

LASTS = 3600  # seconds


@dataclass(frozen=True)
class Browser:
    """Who signs the tokens of browser phones, and the TwiML app that their calls out go to."""

    key: str
    secret: str
    app_sid: str


def voice_token(account_sid: str, browser: Browser, identity: str) -> str:
    """A JSON Web Token (RFC 7519) for calls in and out as `identity`, valid for an hour."""
    token = AccessToken(account_sid, browser.key, browser.secret, identity=identity, ttl=LASTS)
    token.add_grant(VoiceGrant(outgoing_application_sid=browser.app_sid, incoming_allow=True))
    made: str = token.to_jwt()
    return made
