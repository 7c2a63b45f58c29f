"""What large mail providers take for one mailbox, and whose domains say nothing of a firm."""

from collections.abc import Mapping
from typing import NamedTuple


class _Provider(NamedTuple):
    """`domain`: of all its domains one; `silent`: signs that don't count before the @."""

    domain: str
    silent: str = ""


_GMAIL = _Provider("gmail.com", silent=".")
_PROTON = _Provider("proton.me", silent=".-_")
_APPLE = _Provider("icloud.com")
_YANDEX = _Provider("yandex.ru", silent="-.")
PROVIDERS: Mapping[str, _Provider] = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), _GMAIL),
    **dict.fromkeys(("proton.me", "protonmail.com", "pm.me"), _PROTON),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), _APPLE),
    **dict.fromkeys(("yandex.ru", "yandex.ua", "yandex.com", "yandex.kz", "ya.ru"), _YANDEX),
    **{name: _Provider(name) for name in ("outlook.com", "hotmail.com", "live.com", "msn.com")},
    **{name: _Provider(name) for name in ("fastmail.com", "zoho.com", "tuta.com")},
}
_OTHERS = """
    ukr.net i.ua meta.ua email.ua bigmir.net online.ua yahoo.com ymail.com aol.com gmx.com gmx.de
    gmx.net web.de mail.com mail.ru bk.ru list.ru inbox.ru internet.ru rambler.ru wp.pl o2.pl
    onet.pl interia.pl seznam.cz t-online.de orange.fr free.fr libero.it hotmail.co.uk
"""
_FREE = frozenset(PROVIDERS) | frozenset(_OTHERS.split())


def mailbox_key(key: str) -> str | None:
    """The one spelling of an address at a large provider: without a +tag and signs that don't
    count there. None for other domains. `key`: as `email_key` makes it.
    """
    local, _at, domain = key.rpartition("@")
    provider = PROVIDERS.get(domain)
    if provider is None or not local:
        return None
    name = local.partition("+")[0] or local
    plain = name.translate({ord(sign): None for sign in provider.silent})
    return f"{plain or name}@{provider.domain}"


def domain_of_firm(key: str) -> str | None:
    """The domain of an address if it is a firm's own, None where anybody gets an address."""
    domain = key.rpartition("@")[2]
    return None if domain in _FREE or "." not in domain else domain
