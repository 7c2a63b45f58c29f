"""Every setting, one class, read from the environment; wrong values stop the start."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from phonenumbers import SUPPORTED_REGIONS

_ORIGIN = re.compile(r"(?i:https?)://(?:\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::([0-9]{1,5}))?", re.ASCII)
_VOICE = re.compile(r"(uk|ru|en)=[A-Za-z]+\.[A-Za-z0-9-]+")


class ConfigError(Exception):
    """A setting is wrong; the message is one plain sentence naming it and the cure."""


@dataclass(frozen=True)
class Bind:
    """An address to listen on or connect to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Config:
    """All settings; see docs/admin-guide.md for what each one does."""

    data_dir: Path
    database_url: str
    http_bind: Bind
    smtp_bind: Bind
    public_url: str
    mail_domain: str
    max_mail_bytes: int
    country: str
    timezone: str
    demo: bool
    first_calendar: str
    web_workers: int
    relay: Bind | None
    relay_user: str | None
    relay_password: str | None = field(repr=False)
    relay_tls: str = "opportunistic"
    authserv_id: str | None = None
    trusted_proxies: int = 0
    admin_email: str | None = None
    admin_password: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    twilio_account_sid: str | None = None
    twilio_auth_token: str | None = field(default=None, repr=False)
    twilio_auth_token_secondary: str | None = field(default=None, repr=False)
    twilio_shared_key: str | None = field(default=None, repr=False)
    twilio_api_key: str | None = None
    twilio_api_secret: str | None = field(default=None, repr=False)
    twilio_app_sid: str | None = None
    twilio_api: str | None = None
    twilio_voices: Mapping[str, str] = field(default_factory=dict)
    twin_url: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read the environment. Raises ConfigError."""
        env = _Env(environ)
        data_dir = Path(env.text("HELPDESK_DATA_DIR", "var")).resolve()
        http_bind = env.bind("HELPDESK_HTTP_BIND", "127.0.0.1:8000")
        public_url = env.url("HELPDESK_PUBLIC_URL", f"http://{http_bind}")
        return cls(
            data_dir=data_dir,
            database_url=env.database("HELPDESK_DATABASE_URL", data_dir),
            http_bind=http_bind,
            smtp_bind=env.bind("HELPDESK_SMTP_BIND", "127.0.0.1:2525"),
            public_url=public_url,
            mail_domain=env.domain("HELPDESK_MAIL_DOMAIN", "helpdesk.localhost"),
            max_mail_bytes=env.number("HELPDESK_MAX_MAIL_MB", 25, 1, 1024) * 1024 * 1024,
            country=env.country("HELPDESK_COUNTRY", "UA"),
            timezone=env.timezone("HELPDESK_TIMEZONE", "Europe/Kyiv"),
            demo=env.flag("HELPDESK_DEMO", False),
            first_calendar=env.choice("HELPDESK_FIRST_CALENDAR", "office", ("office", "always")),
            web_workers=env.number("HELPDESK_WEB_WORKERS", min(os.cpu_count() or 2, 4), 1, 64),
            relay=env.optional_bind("HELPDESK_SMTP_RELAY"),
            relay_user=env.secret("HELPDESK_SMTP_RELAY_USER"),
            relay_password=env.secret("HELPDESK_SMTP_RELAY_PASSWORD"),
            relay_tls=env.choice(
                "HELPDESK_SMTP_RELAY_TLS",
                "opportunistic",
                ("opportunistic", "required", "implicit", "off"),
            ),
            authserv_id=env.optional("HELPDESK_AUTHSERV_ID"),
            trusted_proxies=env.number("HELPDESK_TRUSTED_PROXIES", 0, 0, 8),
            admin_email=env.optional("HELPDESK_ADMIN_EMAIL"),
            admin_password=env.secret("HELPDESK_ADMIN_PASSWORD"),
            secret_key=env.secret("SECRET_KEY"),
            **_telephone(env),
        )

    def flask(self) -> dict[str, Any]:
        """The settings under the upper-case names that Flask and its extensions read."""
        values = {name.upper(): getattr(self, name) for name in self.__dataclass_fields__}
        secure = self.public_url.startswith("https://")
        return values | {
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SESSION_COOKIE_SECURE": secure,
            "BABEL_DEFAULT_TIMEZONE": self.timezone,
        }


def _telephone(env: "_Env") -> dict[str, Any]:
    """The settings of the carrier. Raises ConfigError."""
    account = env.sid("TWILIO_ACCOUNT_SID", "AC")
    token = env.token("TWILIO_AUTH_TOKEN")
    env.both_or_none({"TWILIO_ACCOUNT_SID": account, "TWILIO_AUTH_TOKEN": token})
    browser = {
        "TWILIO_API_KEY": env.sid("TWILIO_API_KEY", "SK"),
        "TWILIO_API_SECRET": env.token("TWILIO_API_SECRET"),
        "TWILIO_APP_SID": env.sid("TWILIO_APP_SID", "AP"),
    }
    env.both_or_none(browser)
    rest = {
        "TWILIO_AUTH_TOKEN_SECONDARY": env.token("TWILIO_AUTH_TOKEN_SECONDARY"),
        "TWILIO_SHARED_KEY": env.token("TWILIO_SHARED_KEY"),
    }
    env.only_with("TWILIO_ACCOUNT_SID", account, browser | rest)
    found = {name.lower(): value for name, value in (browser | rest).items()}
    return found | {
        "twilio_account_sid": account,
        "twilio_auth_token": token,
        "twilio_api": env.optional_url("HELPDESK_TWILIO_API"),
        "twilio_voices": env.voices("HELPDESK_TWILIO_VOICES"),
        "twin_url": env.optional_url("HELPDESK_TWIN_URL"),
    }


@dataclass(frozen=True)
class _Env:
    """Typed access to the environment; each method names the variable it complains about."""

    environ: Mapping[str, str]

    def optional(self, name: str) -> str | None:
        value = self.environ.get(name, "").strip()
        return value or None

    def text(self, name: str, default: str) -> str:
        return self.optional(name) or default

    def secret(self, name: str) -> str | None:
        path = self.optional(f"{name}_FILE")
        if path is None:
            return self.optional(name)
        if self.optional(name):
            raise ConfigError(f"Set {name} or {name}_FILE, not both.")
        try:
            return Path(path).read_text("utf-8").strip() or None
        except OSError as error:
            raise ConfigError(f"{name}_FILE: cannot read {path}: {error.strerror}.") from error

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, "1" if default else "0")
        if value not in ("0", "1"):
            raise ConfigError(f"{name} must be 1 or 0, not {value!r}.")
        return value == "1"

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ConfigError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
        return int(value)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
        return value

    def bind(self, name: str, default: str) -> Bind:
        value = self.text(name, default)
        match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\s/]+):([0-9]{1,5})", value)
        if not match or not 0 < int(match[2]) < 65536:
            raise ConfigError(f"{name} must be host:port, for example {default}, not {value!r}.")
        return Bind(match[1].strip("[]"), int(match[2]))

    def optional_bind(self, name: str) -> Bind | None:
        return self.bind(name, "mail.example.com:587") if self.optional(name) else None

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default).rstrip("/")
        if not value.isascii():
            raise ConfigError(f"{name}: write the name in ASCII (xn--…), not as {value!r}.")
        match = _ORIGIN.fullmatch(value)
        if not match or int(match[1] or 0) > 65535:
            raise ConfigError(
                f"{name} must look like https://help.example.com, without a path, not {value!r}."
            )
        return value

    def optional_url(self, name: str) -> str | None:
        return self.url(name, "") if self.optional(name) else None

    def sid(self, name: str, prefix: str) -> str | None:
        """An identifier of the carrier: two letters and 32 hexadecimal digits."""
        value = self.secret(name)
        if value and not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", value):
            raise ConfigError(f"{name} must be {prefix} and 32 letters and digits from Twilio.")
        return value

    def token(self, name: str) -> str | None:
        """A secret of the carrier; its value is never shown."""
        value = self.secret(name)
        if value and not re.fullmatch(r"[!-~]{16,200}", value):
            raise ConfigError(f"{name} does not look like a token from Twilio; copy it again.")
        return value

    def both_or_none(self, values: Mapping[str, str | None]) -> None:
        missing = [name for name, value in values.items() if not value]
        if missing and len(missing) < len(values):
            names = " and ".join(values) if len(values) == 2 else ", ".join(values)
            raise ConfigError(f"{missing[0]} is missing: set {names}, or none of them.")

    def only_with(self, name: str, value: str | None, others: Mapping[str, str | None]) -> None:
        lonely = next((other for other, given in others.items() if given), None)
        if lonely and not value:
            raise ConfigError(f"{lonely} needs {name} too.")

    def voices(self, name: str) -> dict[str, str]:
        """ "uk=Google.uk-UA-Standard-A,ru=Polly.Tatyana" by language."""
        pairs = [part.partition("=") for part in self.text(name, "").split(",") if part.strip()]
        found = {language.strip(): voice.strip() for language, _, voice in pairs}
        bad = [one for one in found.items() if not _VOICE.fullmatch("=".join(one))]
        if bad or len(found) < len(pairs):
            raise ConfigError(
                f"{name} must look like uk=Google.uk-UA-Standard-A,ru=Polly.Tatyana,"
                "en=Polly.Joanna, with one voice for a language."
            )
        return found

    def domain(self, name: str, default: str) -> str:
        value = self.text(name, default).lower()
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?", value) or ".." in value:
            raise ConfigError(f"{name} must be a domain such as example.com, not {value!r}.")
        return value

    def country(self, name: str, default: str) -> str:
        value = self.text(name, default).upper()
        if value not in SUPPORTED_REGIONS:
            raise ConfigError(
                f"{name} must be a two-letter country code such as UA, not {value!r}."
            )
        return value

    def timezone(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if value not in available_timezones():
            raise ConfigError(f"{name}: there is no time zone {value!r}; try Europe/Kyiv.")
        return ZoneInfo(value).key

    def database(self, name: str, data_dir: Path) -> str:
        value = self.text(name, f"sqlite:///{data_dir / 'helpdesk.db'}")
        value = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value)
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ConfigError(
                f"{name} must begin with sqlite:/// or postgresql://, not {value.split('://')[0]!r}."
            )
        return value
