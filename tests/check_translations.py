"""Are the catalogues complete and well formed? `--update` brings new texts into them first.

Fails on missing, fuzzy, empty or obsolete messages, wrong places, missing plural forms and
typography that the house does not use.
"""

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("ru", "uk")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "_lazy": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACE = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")
WRONG = {
    "ru": [(re.compile(r'"[^"]*"'), "quotes are «…»"), (re.compile(r"\.\.\."), "an ellipsis is …")],
    "uk": [
        (re.compile(r'"[^"]*"'), "quotes are «…»"),
        (re.compile(r"\.\.\."), "an ellipsis is …"),
        (re.compile(r"[а-яіїєґ]'[яюєї]", re.I), "the apostrophe is ’"),
        (re.compile(r"[ыэъё]", re.I), "a Russian letter"),
    ],
}


def extracted() -> Catalog:
    """All texts of the code and the templates, with their places."""
    with (ROOT / "babel.cfg").open() as file:
        mapping, options = parse_mapping_cfg(file)
    catalog = Catalog(project="Helpdesk", fuzzy=False)
    found = extract_from_dir(
        str(ROOT),
        mapping,
        {"**.html": JINJA, "**.txt": JINJA} | options,
        KEYWORDS,
        ("Translators:",),
    )
    for filename, _line, message, comments, context in sorted(found, key=lambda row: row[:2]):
        catalog.add(message, None, [(filename, 0)], auto_comments=comments, context=context)
    return catalog


JINJA = {"extensions": "jinja2.ext.i18n", "silent": "false", "trimmed": "true"}


def path_of(language: str) -> Path:
    return ROOT / "translations" / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    if not path_of(language).exists():
        return Catalog(locale=language, fuzzy=False)
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def update(template: Catalog) -> None:
    """Bring new texts in and drop old ones; what is translated stays."""
    for language in LANGUAGES:
        catalog = read(language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        catalog.fuzzy = False
        write(language, catalog)


def write(language: str, catalog: Catalog) -> None:
    path_of(language).parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    write_po(buffer, catalog, width=0, no_location=True, sort_output=True, omit_header=False)
    # Dates and tool names in the header would change with every run.
    text = re.sub(
        r'^"(POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|'
        r'Language-Team|Report-Msgid-Bugs-To):.*"\n',
        "",
        buffer.getvalue().decode(),
        flags=re.M,
    )
    path_of(language).write_text(text, "utf-8")


def forms(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string]


def faults(language: str, template: Catalog) -> list[str]:
    """What is wrong with one catalogue, a line each."""
    catalog = read(language)
    found = []
    for wanted in template:
        if not wanted.id:
            continue
        name = wanted.id[0] if isinstance(wanted.id, tuple) else wanted.id
        key = f"{language}: {name!r}"
        message = catalog.get(wanted.id, wanted.context)
        if message is None or not all(forms(message)):
            found.append(f"{key}: not translated")
        else:
            found += [f"{key}: {fault}" for fault in text_faults(language, message)]
            if message.fuzzy:
                found.append(f"{key}: fuzzy")
    known = {(m.context, m.id) for m in template}
    found += [
        f"{language}: {m.id!r}: no longer used"
        for m in catalog
        if m.id and (m.context, m.id) not in known
    ]
    return found


def text_faults(language: str, message: Message) -> list[str]:
    source = message.id[-1] if isinstance(message.id, tuple) else message.id
    found = []
    if isinstance(message.id, tuple) and len(forms(message)) != 3:
        found.append("three plural forms are needed")
    for form in forms(message):
        if set(PLACE.findall(form)) != set(PLACE.findall(source)):
            found.append(f"other places than the source: {form!r}")
        found += [f"{why}: {form!r}" for wrong, why in WRONG[language] if wrong.search(form)]
    return found


def compile_all() -> None:
    for language in LANGUAGES:
        po = path_of(language)
        subprocess.run(
            [sys.executable, "-m", "babel.messages.frontend", "compile", "-i", po, "-o",
             po.with_suffix(".mo")],
            check=True, capture_output=True,
        )  # fmt: skip


def main() -> int:
    template = extracted()
    if "--update" in sys.argv:
        update(template)
        compile_all()
    found = [fault for language in LANGUAGES for fault in faults(language, template)]
    print("\n".join(found[:200]))
    print(f"{len([m for m in template if m.id])} texts, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
