"""Emails that try to run, to load or to ask: Chromium shows them and nothing happens."""

from email.message import EmailMessage

import pytest

from tests.browser.conftest import DOMAIN
from tests.lib.test_html import ATTACKS

pytestmark = pytest.mark.browser

PROBE = "<img src=//evil.example/p.gif><script>top.owned=1;alert(1)</script>"
MORE = [
    "<svg><set attributeName=href to=javascript:alert(1)><a id=x>y</a></svg>",
    "<svg><style>{}*{background:url(//evil.example/s)}</style></svg>",
    "<img src=x onerror=top.owned=1><video poster=//evil.example/v.png>",
    "<body onpageshow=alert(1)><iframe src=//evil.example></iframe>",
    "<object data='data:text/html,<script>parent.owned=1</script>'></object>",
    "<div style='background-image:image-set(url(//evil.example/i) 1x)'>x</div>",
    "<link rel=dns-prefetch href=//evil.example><link rel=preload as=image href=//evil.example/l>",
    "<style>@font-face{font-family:x;src:url(//evil.example/f)}*{font-family:x}</style>",
    "<input autofocus onfocus=top.owned=1><button autofocus popovertarget=keys>x</button>",
    "<p hx-get=/logout hx-trigger=load data-live=lists data-key=take>x</p>",
]
EMAILS = [*ATTACKS, *MORE]
AN_EMAIL = 12  # attacks in one thread, each as a message of its own


def hostile(attack: str, n: int) -> EmailMessage:
    """The attack in the body, the subject, the sender's name and a file's name."""
    email = EmailMessage()
    line = " ".join(attack.split()).replace("\0", "")
    email["From"] = (f"{line[:80]} {PROBE}".replace('"', "'"), "<>")[0] and _sender(line, n)
    email["To"] = f"support@{DOMAIN}"
    email["Subject"] = f"{line[:120]}{PROBE}"
    email["Message-ID"] = f"<attack-{n}@hostile.example>"
    email.set_content(f"{attack}\n{PROBE}".replace("\0", ""))
    email.add_alternative(f"<div>n{n}n {attack.replace(chr(0), '')}</div>{PROBE}", subtype="html")
    return email


def _sender(line: str, n: int) -> str:
    name = f"{line[:60]}{PROBE}".replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <attacker{n}@hostile.example>'
