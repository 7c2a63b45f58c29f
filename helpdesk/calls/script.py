"""What a caller's or an agent's telephone is told to do, in words that no carrier owns.

The menu writes a Script, a provider turns it into the carrier's document (Twilio: TwiML).
`then` and the like name the step that is asked next; the provider makes an address of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Say:
    """Words read by a voice in `language` ("en", "ru", "uk"); at most 4,096 characters."""

    text: str
    language: str


@dataclass(frozen=True)
class Play:
    """A sound by its address."""

    url: str


@dataclass(frozen=True)
class Pause:
    seconds: int = 1


@dataclass(frozen=True)
class Gather:
    """Ask for keys, or for keys and speech; `then` is also asked when the caller is silent.

    `timeout` in seconds; `digits`: how many end it (0: the # key does).
    """

    then: str
    say: Sequence[Say | Play | Pause]
    digits: int = 1
    timeout: int = 5
    speech: str | None = None  # the language to listen for
    hints: Sequence[str] = ()


@dataclass(frozen=True)
class Enqueue:
    """Put the caller into the queue `name`; `wait` is asked for what they hear meanwhile,
    `then` when they leave it."""

    name: str
    wait: str
    then: str


@dataclass(frozen=True)
class Leave:
    """Leave the queue: `then` of the Enqueue is asked."""


@dataclass(frozen=True)
class Record:
    """Take a message; `then` is asked after it, also when the caller hangs up."""

    then: str
    longest: int = 180  # seconds
    silence: int = 5  # seconds that end it


@dataclass(frozen=True)
class Conference:
    """Join the conference `name`. `ends`: it is over when this one leaves."""

    name: str
    label: str
    then: str
    ends: bool = False
    record: bool = False


@dataclass(frozen=True)
class Dial:
    """Ring a number, from the softphone's own outgoing call."""

    number: str
    then: str
    caller_id: str


@dataclass(frozen=True)
class Redirect:
    """Go on with this step."""

    then: str


@dataclass(frozen=True)
class Reject:
    """Refuse the call without answering it."""


@dataclass(frozen=True)
class Hangup:
    """End the call."""


Verb = (
    Say
    | Play
    | Pause
    | Gather
    | Enqueue
    | Leave
    | Record
    | Conference
    | Dial
    | Redirect
    | Reject
    | Hangup
)


@dataclass(frozen=True)
class Script:
    """Verbs in their order. A step is "name" or "name?key=value"."""

    verbs: Sequence[Verb] = field(default=())


def numbered(script: Script, number: int) -> Script:
    """The script with `n=number` in each step it leads to.

    A repeated request has the same address, a second visit of a step has another: by that they
    are told apart.
    """
    return Script([_numbered(verb, number) for verb in script.verbs])


def _numbered(verb: Verb, number: int) -> Verb:
    if isinstance(verb, Enqueue):
        return replace(verb, wait=_step(verb.wait, number), then=_step(verb.then, number))
    if isinstance(verb, Gather | Record | Conference | Dial | Redirect):
        return replace(verb, then=_step(verb.then, number))
    return verb


def _step(step: str, number: int) -> str:
    return f"{step}{'&' if '?' in step else '?'}n={number}"
