"""What `helpdesk run` says to the person at the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

LOCAL = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


def greeting(
    config: Mapping[str, Any], setup_token: str | None, logins: Sequence[tuple[str, str, str]]
) -> str:
    """Addresses, log-ins of the demo people (role, address, password) and what to try."""
    url, smtp = config["PUBLIC_URL"], config["SMTP_BIND"]
    lines = [
        "",
        f"  Desk       {url}/desk",
        f"  Health     {url}/readyz",
        f"  Email in   {smtp} (SMTP) for support@{config['MAIL_DOMAIN']}",
    ]
    if setup_token:
        lines += ["", f"  First, set your password: {url}/welcome/{setup_token}"]
        lines += ["  The link works once, for 24 hours; a new start prints a new one."]
    if logins:
        lines += ["", "  Log in as"]
        lines += [f"    {role:<11}{email}  {password}" for role, email, password in logins]
    lines += ["", "  Try", *_try(config, url), "", "  Ctrl-C stops everything.", ""]
    return "\n".join(lines)


def _try(config: Mapping[str, Any], url: str) -> list[str]:
    smtp = config["SMTP_BIND"]
    server = f"{LOCAL.get(smtp.host, smtp.host)}:{smtp.port}"
    swaks = (
        f"swaks --server {server} --from olena@client.example "
        f"--to support@{config['MAIL_DOMAIN']} --header 'Subject: Hello' --body 'It does not work.'"
    )
    lines = [f"    {swaks}", "    and watch the ticket appear on the desk."]
    if not config["TWILIO_ACCOUNT_SID"]:
        lines.append(
            f"    Call the phone menu from the browser, without a carrier: {url}/simulator"
        )
    if config["RELAY"] is None:
        lines.append(f"    No relay is set: what goes out is kept at {url}/outbox")
    return lines
