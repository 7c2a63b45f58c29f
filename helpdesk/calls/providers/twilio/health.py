"""What the health page checks at Twilio: log-in, the numbers' addresses, recordings under lock."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask_babel import gettext as _

from helpdesk.calls.providers.port import CarrierError
from helpdesk.calls.providers.twilio.addresses import Addresses
from helpdesk.calls.providers.twilio.rest import API, PATIENCE, Nobody, Rebase, asking
from helpdesk.calls.providers.twilio.tokens import Browser

OK = "ok"
MOST = 100  # numbers looked at


def checks(
    client: Any, rebase: Rebase, addresses: Addresses, browser: Browser | None
) -> Mapping[str, str]:
    """What → "ok" or what is wrong and where to put it right. Never raises; about five requests."""
    found = {"account": _told(lambda: _account(client))}
    if found["account"] != OK:
        return found
    return found | {
        "numbers": _told(lambda: _numbers(client, addresses)),
        "recordings": _told(lambda: _recordings(client, rebase)),
        "browser_phones": _told(lambda: _browser(client, addresses, browser)),
    }


def _told(check: Callable[[], str]) -> str:
    try:
        with asking():
            return check()
    except CarrierError as error:
        return str(error)


def _account(client: Any) -> str:
    status = str(client.api.v2010.accounts(client.account_sid).fetch().status)
    return OK if status == "active" else str(_("The account is %(status)s.", status=status))


def _numbers(client: Any, addresses: Addresses) -> str:
    numbers = client.incoming_phone_numbers.list(limit=MOST)
    if not numbers:
        return str(_("The account has no telephone number yet."))
    return "\n".join(line for one in numbers for line in _number(one, addresses)) or OK


def _number(one: Any, addresses: Addresses) -> Iterator[str]:
    """Time-outs behind a # may be anything; the address before it must be ours."""
    wanted = {
        "voice_url": addresses.step("voice"),
        "sms_url": addresses.step("sms"),
        "status_callback": addresses.report("status"),
    }
    names = {
        "voice_url": _("A call comes in"),
        "sms_url": _("A message comes in"),
        "status_callback": _("Call status changes"),
    }
    able = one.capabilities or {}
    for name, address in wanted.items():
        if name == "sms_url" and not able.get("sms", True):
            continue
        if (getattr(one, name) or "").partition("#")[0] != address.partition("#")[0]:
            yield _(
                "%(number)s, “%(field)s”: put %(address)s",
                number=one.phone_number,
                field=names[name],
                address=address,
            )
    if not one.voice_fallback_url:
        yield _(
            "%(number)s, “Primary handler fails”: put the address of the fallback document",
            number=one.phone_number,
        )


def _recordings(client: Any, rebase: Rebase) -> str:
    """Whoever knows the address of a recording must not hear it without a log-in."""
    found = client.recordings.list(limit=1)
    if not found:
        return str(_("Nothing was recorded yet, so there is nothing to check."))
    url = f"{API}/2010-04-01/Accounts/{client.account_sid}/Recordings/{found[0].sid}.wav"
    answer = rebase.session.head(
        rebase.address(url), auth=Nobody(), timeout=PATIENCE, allow_redirects=False
    )
    status = answer.status_code
    if status in (401, 403):
        return OK
    return str(
        _(
            "Anybody who knows its address can hear a recording (answer %(status)s). "
            "Switch on “Enforce HTTP Auth on media URLs” in the console of Twilio.",
            status=status,
        )
    )


def _browser(client: Any, addresses: Addresses, browser: Browser | None) -> str:
    if browser is None:
        words = _("Set TWILIO_API_KEY, TWILIO_API_SECRET and TWILIO_APP_SID for browser phones.")
        return str(words)
    wanted = addresses.step("outgoing").partition("#")[0]
    given = client.applications(browser.app_sid).fetch().voice_url or ""
    if given.partition("#")[0] == wanted:
        return OK
    return str(_("The TwiML app asks the wrong address: put %(address)s", address=wanted))
