"""Twilio as the port's carrier. The offline twin is the same class with another base address."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests

from helpdesk.calls.models import Direction, Provider
from helpdesk.calls.providers.port import CarrierError, Kept, Placed, Texted
from helpdesk.calls.providers.twilio import checker, health, rest, twiml
from helpdesk.calls.providers.twilio.addresses import Addresses
from helpdesk.calls.providers.twilio.parse import number, state
from helpdesk.calls.providers.twilio.rest import API, Rebase, asking
from helpdesk.calls.providers.twilio.signature import Account
from helpdesk.calls.providers.twilio.tokens import LASTS, Browser, voice_token
from helpdesk.calls.script import Script

MOST = 1000  # rows of one look back
LARGE = 32 << 20  # bytes of a recording from which it is fetched compressed
_SKEW = timedelta(seconds=2)  # their clock and ours; theirs has whole seconds
_EVENTS = ["initiated", "ringing", "answered", "completed"]
_GONE = (404, 20404, 21220)  # 21220: the call is over already
_RECORDING = re.compile(r"RE[0-9a-fA-F]{32}")


@dataclass
class TwilioCarrier:
    """One account of Twilio's. `strict`: documents are checked before they go out.

    `base` None with `provider` TWIN: the twin isn't running, and asking it raises CarrierError.
    """

    account: Account
    public_url: str
    provider: Provider = Provider.TWILIO
    base: str | None = API
    browser: Browser | None = None
    voices: Mapping[str, str] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    strict: bool = False

    def document(self, script: Script) -> str:
        xml = twiml.document(script, self.addresses, self.voices)
        if self.strict and (faults := checker.check(xml)):
            raise ValueError("; ".join(faults))
        return xml

    def place_call(self, to: str, *, from_number: str, step: str, timeout: int, status: str) -> str:
        with asking():
            made = self.client.calls.create(
                to=to,
                from_=from_number,
                url=self.addresses.step(step),
                method="POST",
                fallback_url=self.addresses.step("fallback"),
                fallback_method="POST",
                status_callback=self.addresses.report(status),
                status_callback_event=_EVENTS,
                status_callback_method="POST",
                timeout=timeout,
            )
            return str(made.sid)

    def find_call(self, to: str, *, since: datetime, status: str) -> str | None:
        """The newest of ours to that telephone since then. Twilio doesn't tell the status address
        of a call; but nobody is rung twice at one time.
        """
        with asking():
            for found in self.client.calls.page(to=to, page_size=20):
                ours = str(found.direction).startswith("outbound")
                if ours and (found.date_created or since) >= since - _SKEW:
                    return str(found.sid)
        return None

    def redirect(self, provider_id: str, step: str) -> None:
        with asking():
            self.client.calls(provider_id).update(url=self.addresses.step(step), method="POST")

    def hang_up(self, provider_id: str) -> None:
        try:
            with asking():
                self.client.calls(provider_id).update(status="completed")
        except CarrierError as error:
            if not _is_gone(error):
                raise

    def hold(self, conference_id: str, provider_id: str, held: bool) -> None:
        heard = {"hold_url": self.addresses.step("hold"), "hold_method": "POST"} if held else {}
        with asking():
            conference = self.client.conferences(conference_id)
            conference.participants(provider_id).update(hold=held, **heard)

    def fetch_call(self, provider_id: str) -> Placed:
        try:
            with asking():
                return _placed(self.client.calls(provider_id).fetch())
        except CarrierError as error:
            if _is_gone(error):
                return Placed(provider_id, None)
            raise

    def calls_since(self, at: datetime) -> Sequence[Placed]:
        with asking():
            return [_placed(one) for one in self.client.calls.list(start_time_after=at, limit=MOST)]

    def recordings_since(self, at: datetime) -> Sequence[Kept]:
        with asking():
            found = self.client.recordings.list(date_created_after=at, limit=MOST)
            return [_kept(one) for one in found]

    def fetch_recording(self, recording_id: str) -> tuple[bytes, str]:
        """As WAV; a long one as MP3, a tenth of its size."""
        url = self._recording(recording_id)
        with asking():
            asked = self.session.head(
                self.rebase.address(f"{url}.wav"), auth=self._auth, timeout=rest.PATIENCE
            )
            size = int(asked.headers.get("Content-Length") or 0)
        kind = ".mp3" if asked.ok and size > LARGE else ".wav"
        return rest.download(self.rebase, url + kind, self._auth)

    def delete_recording(self, recording_id: str) -> None:
        try:
            with asking():
                self.client.recordings(recording_id).delete()
        except CarrierError as error:
            if not _is_gone(error):
                raise

    def start_recording(self, provider_id: str, status: str) -> str:
        with asking():
            made = self.client.calls(provider_id).recordings.create(
                recording_channels="dual",
                recording_status_callback=self.addresses.report(status),
                recording_status_callback_event=["completed", "absent"],
                recording_status_callback_method="POST",
            )
            return str(made.sid)

    def send_sms(self, to: str, text: str, *, from_number: str, status: str) -> str:
        with asking():
            made = self.client.messages.create(
                to=to, from_=from_number, body=text, status_callback=self.addresses.report(status)
            )
            return str(made.sid)

    def sms_since(self, at: datetime) -> Sequence[Texted]:
        with asking():
            found = self.client.messages.list(date_sent_after=at, limit=MOST)
            return [self._texted(one) for one in found if one.direction == "inbound"]

    def fetch_media(self, url: str) -> tuple[bytes, str]:
        parts = urlsplit(url)
        hosts = {urlsplit(API).netloc, urlsplit(self.base or API).netloc}
        ours = f"/2010-04-01/Accounts/{self.account.sid}/"
        plain = parts.path.startswith(ours) and not {".", ".."} & set(parts.path.split("/"))
        if parts.netloc not in hosts or not plain:
            raise CarrierError("This address is not the carrier's.", again=False)
        return rest.download(self.rebase, parts.path, self._auth)

    def browser_token(self, identity: str) -> dict[str, Any]:
        if self.browser is None:
            raise CarrierError("Browser phones need TWILIO_API_KEY.", again=False)
        token = voice_token(self.account.sid, self.browser, identity)
        kind = str(self.provider)
        return {"kind": kind, "identity": identity, "token": token, "seconds": LASTS}

    def health(self) -> Mapping[str, str]:
        return health.checks(self.client, self.rebase, self.addresses, self.browser)

    @cached_property
    def addresses(self) -> Addresses:
        return Addresses(self.public_url)

    @cached_property
    def rebase(self) -> Rebase:
        return Rebase(self.session, self.base)

    @cached_property
    def client(self) -> Any:
        """The library's client."""
        return rest.client(self.account.sid, self.account.token, self.rebase)

    @property
    def _auth(self) -> tuple[str, str]:
        return (self.account.sid, self.account.token)

    def _recording(self, recording_id: str) -> str:
        if not _RECORDING.fullmatch(recording_id):
            raise CarrierError("This is no recording of the carrier's.", again=False)
        return f"{API}/2010-04-01/Accounts/{self.account.sid}/Recordings/{recording_id}"

    def _texted(self, one: Any) -> Texted:
        """The pictures of an MMS are asked for one by one; few have any."""
        count = int(one.num_media or 0)
        media = self.client.messages(one.sid).media.list(limit=20) if count else []
        return Texted(
            provider_id=str(one.sid),
            from_number=number(one.from_) or str(one.from_ or ""),
            to_number=number(one.to) or str(one.to or ""),
            body=str(one.body or ""),
            created_at=one.date_created,
            media=[API + str(m.uri).removesuffix(".json") for m in media],
        )


def _is_gone(error: CarrierError) -> bool:
    return error.code in _GONE or str(error).startswith("404")


def _placed(one: Any) -> Placed:
    outbound = str(one.direction or "").startswith("outbound")
    return Placed(
        provider_id=str(one.sid),
        state=state(one.status),
        started_at=one.start_time or one.date_created,
        ended_at=one.end_time,
        seconds=int(one.duration) if str(one.duration or "").isdecimal() else None,
        from_number=number(one._from),
        to_number=number(one.to),
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
    )


def _kept(one: Any) -> Kept:
    return Kept(
        provider_id=str(one.sid),
        call_id=str(one.call_sid),
        seconds=int(one.duration) if str(one.duration or "").isdecimal() else None,
        created_at=one.date_created,
        absent=str(one.status) == "absent",
    )
