"""Encryption and log-in on the way to the relay."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.outbox.relay import NotSent, RelaySettings
from helpdesk.outbox.relay import Relay as Connection
from tests.relay import Mood, Relay

EMAIL = b"Subject: x\r\n\r\n.\r\nHello\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate that nobody vouches for."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=relay"]
    files = ["-days", "2", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*request, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.fixture
def plain() -> Iterator[Relay]:
    with Relay(login=("desk", "secret")) as relay:
        yield relay


@pytest.fixture
def tls(certificate: ssl.SSLContext) -> Iterator[Relay]:
    with Relay(tls=certificate, login=("desk", "secret")) as relay:
        yield relay


def send(
    relay: Relay, tls: str, *, user: str | None = None, password: str | None = None, times: int = 1
) -> None:
    settings = RelaySettings("127.0.0.1", relay.port, tls, user, password, "desk.example")
    with Connection(settings, timeout=5) as connection:
        for _ in range(times):
            connection.send("", "oksana@client.example", EMAIL)


def test_many_emails_share_one_connection(plain: Relay) -> None:
    send(plain, "off", times=3)
    assert len(plain.taken) == 3
    assert plain.connections == 1
    assert plain.taken[0].raw == EMAIL


def test_encryption_is_used_where_offered_even_without_proof(tls: Relay) -> None:
    send(tls, "opportunistic")
    assert tls.encrypted == 1


def test_without_offer_opportunistic_goes_on_in_the_clear(plain: Relay) -> None:
    send(plain, "opportunistic")
    assert len(plain.taken) == 1


def test_required_encryption_refuses_a_relay_without_it(plain: Relay) -> None:
    with pytest.raises(NotSent, match="no encryption") as caught:
        send(plain, "required")
    assert caught.value.relay_down
    assert not caught.value.permanent
    assert plain.taken == []


def test_required_encryption_refuses_a_certificate_nobody_vouches_for(tls: Relay) -> None:
    with pytest.raises(NotSent, match="(?i)certificate"):
        send(tls, "required")
    assert tls.taken == []


def test_implicit_encryption_does_not_speak_in_the_clear(plain: Relay) -> None:
    with pytest.raises(NotSent):
        send(plain, "implicit")
    assert plain.taken == []


def test_the_password_logs_in(plain: Relay) -> None:
    send(plain, "off", user="desk", password="secret")
    assert plain.logins == 1


def test_a_wrong_password_waits_for_the_administrator(plain: Relay) -> None:
    with pytest.raises(NotSent, match="535") as caught:
        send(plain, "off", user="desk", password="wrong")
    assert caught.value.relay_down
    assert not caught.value.permanent


def test_the_password_is_not_sent_in_the_clear_to_another_machine(
    plain: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RelaySettings, "is_local", False)
    with pytest.raises(NotSent, match="password was not sent"):
        send(plain, "opportunistic", user="desk", password="secret")
    assert plain.logins == 0


def test_the_password_is_not_sent_to_a_relay_without_proof(
    tls: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RelaySettings, "is_local", False)
    with pytest.raises(NotSent, match="(?i)certificate"):
        send(tls, "opportunistic", user="desk", password="secret")
    assert tls.logins == 0


def test_the_password_is_not_in_the_settings_words() -> None:
    assert "secret" not in repr(RelaySettings("relay", 25, "off", "desk", "secret"))


def test_a_relay_that_takes_too_long_over_an_email_may_have_taken_it(plain: Relay) -> None:
    plain.mood, plain.slowness = Mood.SLOW, 0.5
    settings = RelaySettings("127.0.0.1", plain.port, "off", None, None)
    with (
        Connection(settings, timeout=5, end_timeout=0.1) as connection,
        pytest.raises(NotSent) as caught,
    ):
        connection.send("", "oksana@client.example", EMAIL)
    assert caught.value.maybe_sent
    assert caught.value.relay_down


def test_an_email_without_a_last_line_end_goes_whole(plain: Relay) -> None:
    settings = RelaySettings("127.0.0.1", plain.port, "off", None, None)
    with Connection(settings) as connection:
        connection.send("", "oksana@client.example", b"Subject: x\r\n\r\nend")
    assert plain.taken[0].raw == b"Subject: x\r\n\r\nend\r\n"


def test_letters_beyond_latin_in_the_local_part_need_and_use_smtputf8(plain: Relay) -> None:
    settings = RelaySettings("127.0.0.1", plain.port, "off", None, None)
    with Connection(settings) as connection:
        connection.send("", "оксана@пошта.укр", EMAIL)
    assert plain.taken[0].recipients == ["оксана@xn--80a1acn3a.xn--j1amh"]


def test_what_is_no_address_fails_before_anything_is_said(plain: Relay) -> None:
    settings = RelaySettings("127.0.0.1", plain.port, "off", None, None)
    with Connection(settings) as connection, pytest.raises(NotSent) as caught:
        connection.send("", "a@b.example>\r\nRCPT TO:<c@d.example", EMAIL)
    assert caught.value.permanent
    assert plain.connections == 0
