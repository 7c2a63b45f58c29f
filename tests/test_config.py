"""Settings come from the environment; a wrong one is named in one plain sentence."""

import ast
from pathlib import Path

import pytest

from config import Bind, Config, ConfigError

ROOT = Path(__file__).resolve().parent.parent


def config(**env: str) -> Config:
    return Config.from_env({"HELPDESK_DATA_DIR": "/tmp/none", **env})


def test_nothing_set_is_a_whole_configuration() -> None:
    plain = Config.from_env({})
    assert str(plain.http_bind) == "127.0.0.1:8000"
    assert str(plain.smtp_bind) == "127.0.0.1:2525"
    assert plain.public_url == "http://127.0.0.1:8000"
    assert plain.database_url == f"sqlite:///{Path('var').resolve() / 'helpdesk.db'}"
    assert plain.mail_domain == "helpdesk.localhost"
    assert plain.max_mail_bytes == 25 << 20
    assert (plain.country, plain.timezone) == ("UA", "Europe/Kyiv")
    assert (plain.demo, plain.first_calendar, plain.relay) == (False, "office", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HELPDESK_HTTP_BIND", "8000"),
        ("HELPDESK_HTTP_BIND", "127.0.0.1:0"),
        ("HELPDESK_HTTP_BIND", "127.0.0.1:65536"),
        ("HELPDESK_HTTP_BIND", "127.0.0.1:８０"),
        ("HELPDESK_SMTP_BIND", "host:25:25"),
        ("HELPDESK_SMTP_BIND", "a b:25"),
        ("HELPDESK_PUBLIC_URL", "help.example.com"),
        ("HELPDESK_PUBLIC_URL", "ftp://help.example.com"),
        ("HELPDESK_PUBLIC_URL", "https://help.example.com/desk"),
        ("HELPDESK_PUBLIC_URL", "https://"),
        ("HELPDESK_PUBLIC_URL", "https://help example.com"),
        ("HELPDESK_PUBLIC_URL", "https://help.example.com:99999"),
        ("HELPDESK_PUBLIC_URL", "https://user:pass@help.example.com"),
        ("HELPDESK_PUBLIC_URL", "https://help.example.com?q=1"),
        ("HELPDESK_MAIL_DOMAIN", "exa mple.com"),
        ("HELPDESK_MAIL_DOMAIN", "a..b"),
        ("HELPDESK_MAIL_DOMAIN", "@example.com"),
        ("HELPDESK_MAX_MAIL_MB", "0"),
        ("HELPDESK_MAX_MAIL_MB", "many"),
        ("HELPDESK_MAX_MAIL_MB", "٢٥"),
        ("HELPDESK_COUNTRY", "Ukraine"),
        ("HELPDESK_COUNTRY", "XX"),
        ("HELPDESK_TIMEZONE", "Kyiv"),
        ("HELPDESK_TIMEZONE", "../../etc/passwd"),
        ("HELPDESK_DEMO", "yes"),
        ("HELPDESK_FIRST_CALENDAR", "sometimes"),
        ("HELPDESK_WEB_WORKERS", "0"),
        ("HELPDESK_SMTP_RELAY", "mail.example.com"),
        ("HELPDESK_SMTP_RELAY_TLS", "maybe"),
        ("HELPDESK_TRUSTED_PROXIES", "-1"),
        ("HELPDESK_DATABASE_URL", "mysql://localhost/help"),
        ("HELPDESK_PUBLIC_URL", "https://допомога.укр"),
        ("HELPDESK_TWILIO_API", "api.twilio.com"),
        ("HELPDESK_TWIN_URL", "http://127.0.0.1:8100/twin"),
        ("HELPDESK_TWILIO_VOICES", "uk"),
        ("HELPDESK_TWILIO_VOICES", "de=Polly.Marlene"),
        ("HELPDESK_TWILIO_VOICES", "uk=Google.a,uk=Google.b"),
        ("TWILIO_ACCOUNT_SID", "SK" + 32 * "a"),
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_AUTH_TOKEN", "short"),
        ("TWILIO_AUTH_TOKEN", "кирилиця" * 4),
    ],
)
def test_a_wrong_value_is_named_with_its_setting(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(**{name: value})
    text = str(caught.value)
    assert name in text
    assert text.endswith(".")
    assert "\n" not in text


def test_an_ipv6_address_stands_in_brackets() -> None:
    bind = config(HELPDESK_HTTP_BIND="[::1]:8000").http_bind
    assert (bind, str(bind)) == (Bind("::1", 8000), "[::1]:8000")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_postgresql_address_works_in_both_spellings(scheme: str) -> None:
    url = config(HELPDESK_DATABASE_URL=f"{scheme}://me@db/help").database_url
    assert url == "postgresql+psycopg://me@db/help"


@pytest.mark.parametrize("name", ["SECRET_KEY", "HELPDESK_ADMIN_PASSWORD"])
def test_a_secret_may_lie_in_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("canary-secret\n")
    found = config(**{f"{name}_FILE": str(tmp_path / "secret")})
    assert "canary-secret" in (found.secret_key, found.admin_password)
    with pytest.raises(ConfigError, match=f"Set {name} or {name}_FILE, not both"):
        config(**{f"{name}_FILE": str(tmp_path / "secret"), name: "x"})
    with pytest.raises(ConfigError, match=f"{name}_FILE: cannot read"):
        config(**{f"{name}_FILE": str(tmp_path / "missing")})


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    names = ("SECRET_KEY", "HELPDESK_ADMIN_PASSWORD", "HELPDESK_SMTP_RELAY_PASSWORD")
    assert "canary" not in repr(config(**dict.fromkeys(names, "canary")))


ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC" + 32 * "a", "TWILIO_AUTH_TOKEN": 32 * "b"}
BROWSER = {
    "TWILIO_API_KEY": "SK" + 32 * "c",
    "TWILIO_API_SECRET": 32 * "d",
    "TWILIO_APP_SID": "AP" + 32 * "e",
}


@pytest.mark.parametrize("missing", ACCOUNT)
def test_half_an_account_stops_the_start_instead_of_skipping_signatures(missing: str) -> None:
    """An empty token must never mean "don't check"."""
    both = "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or none of them"
    with pytest.raises(ConfigError, match=f"^{missing} is missing: {both}"):
        config(**ACCOUNT | {missing: "  "})


@pytest.mark.parametrize("missing", BROWSER)
def test_a_browser_phone_needs_its_key_whole(missing: str) -> None:
    with pytest.raises(ConfigError, match=f"{missing} is missing"):
        config(**ACCOUNT, **BROWSER | {missing: ""})


@pytest.mark.parametrize("name", ["TWILIO_AUTH_TOKEN_SECONDARY", "TWILIO_SHARED_KEY"])
def test_a_second_secret_needs_an_account(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} needs TWILIO_ACCOUNT_SID"):
        config(**{name: 32 * "f"})


def test_the_telephone_is_read_whole_and_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{32 * 'b'}\n")
    found = config(
        **BROWSER,
        TWILIO_ACCOUNT_SID=ACCOUNT["TWILIO_ACCOUNT_SID"],
        TWILIO_AUTH_TOKEN_FILE=str(tmp_path / "token"),
        TWILIO_SHARED_KEY="canary-shared-key",
        HELPDESK_TWILIO_VOICES="uk=Google.uk-UA-Chirp3-HD-Aoede, en=Polly.Joanna",
        HELPDESK_TWILIO_API="https://api.dublin.ie1.twilio.com/",
    )
    assert found.twilio_auth_token == ACCOUNT["TWILIO_AUTH_TOKEN"]
    assert found.twilio_api == "https://api.dublin.ie1.twilio.com"
    assert found.twilio_voices == {"uk": "Google.uk-UA-Chirp3-HD-Aoede", "en": "Polly.Joanna"}
    assert not [secret for secret in ("canary", 32 * "b", 32 * "d") if secret in repr(found)]
    assert config().twilio_account_sid is None


def test_an_https_address_makes_cookies_secure() -> None:
    assert config(HELPDESK_PUBLIC_URL="https://x.example").flask()["SESSION_COOKIE_SECURE"]
    assert not config().flask()["SESSION_COOKIE_SECURE"]


def test_every_setting_stands_in_the_guide() -> None:
    guide = (ROOT / "docs" / "admin-guide.md").read_text("utf-8")
    tree = ast.parse((ROOT / "config.py").read_text("utf-8"))
    text = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    names = {t for t in text if isinstance(t, str) and t.startswith("HELPDESK_") and " " not in t}
    assert len(names) > 15
    missing = [name for name in names if name not in guide]
    # A secret's parts may be written short, after the name they share: `NAME_USER`, `_PASSWORD`.
    assert not [name for name in missing if f"`_{name.rpartition('_')[2]}`" not in guide]
