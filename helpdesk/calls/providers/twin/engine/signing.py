"""Signatures of webhooks, and the wishes about connections that an address may carry."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from urllib.parse import parse_qsl, urlsplit, urlunsplit

TOTAL_SECONDS = 15.0


def signature(token: str, url: str, params: Mapping[str, str]) -> str:
    """X-Twilio-Signature: base64 of HMAC-SHA1 over the address and its sorted parameters."""
    text = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), sha1).digest()).decode()


@dataclass(frozen=True)
class Overrides:
    """Connection overrides of an address (`#rc=2&rp=all`); seconds."""

    retries: int = 1
    retried: frozenset[str] = frozenset({"ct"})  # "4xx", "5xx", "ct", "rt" or "all"
    connect: float = 5.0
    read: float = TOTAL_SECONDS
    total: float = TOTAL_SECONDS

    def again(self, status: int, error: int | None) -> bool:
        """Whether an answer such as this is worth another try."""
        kind = f"{status // 100}xx" if status else ("ct" if error == 11205 else "rt")
        failed = not status or status >= 400
        return failed and bool(self.retried & {kind, "all"})


def split(url: str) -> tuple[str, Overrides]:
    """The address as it is requested and signed, and its overrides."""
    parts = urlsplit(url)
    wishes = dict(parse_qsl(parts.fragment))
    return urlunsplit(parts._replace(fragment="")), Overrides(
        retries=min(max(_number(wishes, "rc", 1), 0), 5),
        retried=frozenset(wishes.get("rp", "ct").split(",")),
        connect=_seconds(wishes, "ct", 5.0),
        read=_seconds(wishes, "rt", TOTAL_SECONDS),
        total=_seconds(wishes, "tt", TOTAL_SECONDS),
    )


def _number(wishes: Mapping[str, str], name: str, default: int) -> int:
    text = wishes.get(name, "")
    return int(text) if text.isdecimal() else default


def _seconds(wishes: Mapping[str, str], name: str, default: float) -> float:
    return min(max(_number(wishes, name, int(default * 1000)) / 1000, 0.1), TOTAL_SECONDS)
