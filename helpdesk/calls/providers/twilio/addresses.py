"""The addresses that Twilio asks us at: a step under PUBLIC_URL, and how patient it shall be.

What follows the # is for Twilio's connection and no part of the signature: milliseconds to connect
(ct) and to read (rt), retries (rc) and what they are for (rp). A caller must not wait, so a step
fails over within ten seconds; what only reports may come late but must come.
"""

import re
from dataclasses import dataclass

STEP = "#ct=2000&rt=4000&rc=1&rp=ct,rt,5xx"
REPORT = "#rc=5&rp=all"

_STEP = re.compile(r"[a-z][a-z_]*(/[a-z_]+)?(\?[!-~]*)?")


@dataclass(frozen=True)
class Addresses:
    """`public_url` without a slash at its end."""

    public_url: str

    def step(self, step: str) -> str:
        """Where the next document is. Raises ValueError for what is no step."""
        return self._of(step) + STEP

    def report(self, step: str) -> str:
        """Where something is reported that needs no document. Raises ValueError."""
        return self._of(step) + REPORT

    def sound(self, url: str) -> str:
        """A sound's whole address; one of ours may be given as a path. Raises ValueError."""
        whole = self.public_url + url if url.startswith("/") and url[1:2] != "/" else url
        if not re.fullmatch(r"https?://[^/\s]+[!-~]*", whole, re.ASCII) or not whole.isascii():
            raise ValueError(f"no address of a sound: {url[:80]!r}")
        return whole

    def _of(self, step: str) -> str:
        if not _STEP.fullmatch(step) or "#" in step or len(step) > 500:
            raise ValueError(f"no step: {step[:80]!r}")
        return f"{self.public_url}/twilio/{step}"
