"""Requests to Twilio's REST API: time-outs, another base address, errors in the port's words."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.response import Response
from twilio.rest import Client, api  # noqa: F401 (the library would load it late, in each process)
from urllib3.exceptions import NewConnectionError

from helpdesk.calls.providers.port import CarrierError

API = "https://api.twilio.com"
PATIENCE = (3.0, 10.0)  # seconds to connect, and between two bytes of the answer
LARGEST = 64 << 20  # bytes of a recording or a picture
_MEDIA_HOSTS = (".twilio.com", ".twiliocdn.com", ".amazonaws.com")
_DIGITS = re.compile(r"\+?\d[\d ()-]{5,}\d")
_CHUNK = 1 << 16


class Nobody(AuthBase):
    """No log-in, also none of the machine's own (.netrc)."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Rebase:
    """What the library sends its requests by: one session, a time-out, and our base address.

    The library knows no other address than Twilio's; here scheme and host are exchanged. `base`
    None: the offline twin that isn't running.
    """

    is_async = False

    def __init__(self, session: requests.Session, base: str | None) -> None:
        self.session = session
        self.base = base
        if base and not (urlsplit(base).hostname or "").endswith(".twilio.com"):
            session.trust_env = False  # a proxy for the world is none for the twin beside us

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """As the library asks for it. Raises what `requests` raises."""
        answer = self.session.request(
            method.upper(),
            self.address(url),
            params=params,  # type: ignore[arg-type]
            data=data,
            headers=headers,
            auth=auth,
            timeout=timeout or PATIENCE,
            allow_redirects=False,
        )
        return Response(answer.status_code, answer.text, answer.headers)

    def address(self, url: str) -> str:
        if self.base is None:
            raise CarrierError("The offline twin is not running.", again=True)
        return urlsplit(url)._replace(**_host(self.base)).geturl()


def client(sid: str, token: str, rebase: Rebase) -> Any:
    """The library's client for this account."""
    return Client(sid, token, http_client=rebase)


@contextmanager
def asking() -> Iterator[None]:
    """Errors of the library and of the network become CarrierError.

    429 and 5xx: later it may work. No answer, or one by a machine on the way (500, 502, 504): it
    may have been done. All other refusals are final.
    """
    try:
        yield
    except TwilioRestException as error:
        raise _refused(error.status, str(error.msg), error.code) from error
    except requests.RequestException as error:
        kind = type(error).__name__
        raise CarrierError(
            f"No answer from the carrier ({kind}).", again=True, unknown=not _never_sent(error)
        ) from error
    except (TwilioException, ValueError, KeyError, TypeError) as error:
        if len(error.args) > 1 and isinstance(page := error.args[1], Response):  # of a list
            raise _refused(page.status_code, str(error.args[0]), None) from error
        kind = type(error).__name__
        raise CarrierError(
            f"The carrier's answer cannot be read ({kind}).", again=True, unknown=True
        ) from error


def _refused(status: int, words: str, code: int | None) -> CarrierError:
    again, unknown = status == 429 or status >= 500, status in (500, 502, 504)
    message = f"{status}: {without_numbers(words)}"
    return CarrierError(message, again=again, unknown=unknown, code=code or status)


def download(rebase: Rebase, url: str, auth: tuple[str, str]) -> tuple[bytes, str]:
    """Bytes and content type; the log-in is shown to Twilio's API only, not where it leads to.

    Raises CarrierError; a 404 may pass, for a recording is ready some seconds after it is said to.
    """
    address = rebase.address(url)
    log_in: AuthBase = HTTPBasicAuth(*auth)
    for _ in range(3):
        with asking(), _opened(rebase, address, log_in) as answer:
            if not answer.is_redirect:
                return _body(answer), answer.headers.get("Content-Type", "").split(";")[0]
            address, log_in = _onward(address, answer.headers["Location"]), Nobody()
    raise CarrierError("The carrier sends us in a circle.", again=False)


def without_numbers(words: str) -> str:
    """Errors are kept; telephone numbers in them are not."""
    return _DIGITS.sub("…", words)[:300]


def _opened(rebase: Rebase, address: str, log_in: AuthBase) -> requests.Response:
    return rebase.session.get(
        address, auth=log_in, timeout=PATIENCE, allow_redirects=False, stream=True
    )


def _host(base: str) -> dict[str, str]:
    parts = urlsplit(base)
    return {"scheme": parts.scheme, "netloc": parts.netloc}


def _never_sent(error: requests.RequestException) -> bool:
    """Whether no connection came to be: then nothing was done."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _onward(address: str, location: str) -> str:
    """Recordings and pictures lie at the carrier's storage, nowhere else."""
    found = urljoin(address, location)
    host = urlsplit(found).hostname or ""
    if not found.startswith("https://") or not host.endswith(_MEDIA_HOSTS):
        raise CarrierError("The carrier sends us to a place that is not its own.", again=False)
    return found


def _body(answer: requests.Response) -> bytes:
    status = answer.status_code
    if status != 200:
        again = status in (404, 429) or status >= 500
        raise CarrierError(f"{status}: no such file at the carrier", again=again, code=status)
    found = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        found += chunk
        if len(found) > LARGEST:
            raise CarrierError(f"The file is larger than {LARGEST >> 20} MB.", again=False)
    return bytes(found)
