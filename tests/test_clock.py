"""
The clock is read at the edge, once, and passed down.

Edges are views, tasks, commands and what Django and Celery call around them. Everywhere else a
day or a moment is an argument; where the real time itself is meant, it is listed here with why.
"""

import ast
import subprocess
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parents[1]
APPS = {
    *("accounts", "common", "policy", "portal", "quarantine", "reminders", "residents", "testing")
}
READS = {
    *("clock.now()", "clock.today()", "timezone.now()", "timezone.localdate()", "Now()"),
    *("timezone.localtime()", "datetime.today()", "date.today()", "time.time()"),
}
EDGES = {"views", "tasks", "api", "middleware", "context_processors", "commands"}
REAL_TIME = {
    "common/clock.py": "is the clock",
    "accounts/auditing/anchors.py": "heads bear the real time, as their entries do",
    "accounts/auditing/audit.py": "entries bear the real time, whatever day the demo believes in",
    "accounts/auditing/models.py": "the database's own default of the same",
    "reminders/delivery.py": "leases end by the one clock that all workers share, the database's",
    "reminders/health.py": "signs of life, likewise",
    "reminders/channels/robots.py": "a robot checks when its message was signed",
    "reminders/models.py": "signs of life, likewise",
    "residents/openings/models.py": "an opened record closes after a real hour, in every query",
    "residents/openings/services.py": "an opened record closes after a real hour",
}


def _tracked() -> list[str]:
    listed = subprocess.check_output(["git", "ls-files", "*.py"], cwd=ROOT, text=True).split()
    return [name for name in listed if name.split("/")[0] in APPS and "/migrations/" not in name]


def _is_edge(name: str) -> bool:
    path = PurePath(name)
    return bool(EDGES & {*path.parts[:-1], path.stem})


def _is_read(node: ast.AST) -> bool:
    # With an argument, `localdate` and the like only convert; `datetime.now` takes a zone.
    return isinstance(node, ast.Call) and (
        ast.unparse(node) in READS or ast.unparse(node.func) == "datetime.now"
    )


def _reads(tree: ast.AST) -> list[int]:
    """Return the lines on which a clock is read."""
    return [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_read(node)
    ]


def outside_the_edge(name: str, source: str) -> list[str]:
    """Return where a module reads a clock although it is neither an edge nor listed above."""
    if _is_edge(name) or name in REAL_TIME:
        return []
    return [f"{name}:{line}" for line in _reads(ast.parse(source))]


def read_twice(name: str, source: str) -> list[str]:
    """Return the functions that read the clock more than once, helpers of the module included."""
    functions = {
        node.name: node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }

    def most(statements: list[ast.stmt], calling: tuple[str, ...]) -> int:
        return sum(most_of(statement, calling) for statement in statements)

    def most_of(node: ast.AST, calling: tuple[str, ...]) -> int:
        """Count the reads on the way through `node` on which most are made."""
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            return 0
        if isinstance(node, ast.If):
            branches = most(node.body, calling), most(node.orelse, calling)
            returns = node.body and isinstance(node.body[-1], ast.Return | ast.Raise)
            return most_of(node.test, calling) + (branches[1] if returns else max(branches))
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        inside = 0
        if called in functions and called not in calling:
            inside = most(functions[called].body, (*calling, called))
        return (
            _is_read(node)
            + inside
            + sum(most_of(part, calling) for part in ast.iter_child_nodes(node))
        )

    return [f"{name}: {one}" for one, node in functions.items() if most(node.body, (one,)) > 1]


class TestTheClock:
    def test_is_read_at_the_edge_only(self) -> None:
        sources = {name: (ROOT / name).read_text() for name in _tracked()}

        assert [place for name in sources for place in outside_the_edge(name, sources[name])] == []

    def test_is_read_once(self) -> None:
        sources = {name: (ROOT / name).read_text() for name in _tracked() if _is_edge(name)}

        assert [place for name in sources for place in read_twice(name, sources[name])] == []

    def test_is_read_wherever_real_time_is_said_to_be_meant(self) -> None:
        for name in REAL_TIME:
            assert _reads(ast.parse((ROOT / name).read_text())), name


class TestTheCheck:
    def test_finds_a_read_below_the_edge(self) -> None:
        source = "def release(case):\n    return clock.today() > case.release_on\n"

        assert outside_the_edge("quarantine/acts/release.py", source) == [
            "quarantine/acts/release.py:2"
        ]
        assert outside_the_edge("quarantine/views/releases.py", source) == []

    def test_finds_a_second_read_in_a_helper(self) -> None:
        source = "def page(request):\n    at = clock.now()\n    return _shown(at)\n"
        helper = "def _shown(at):\n    return clock.today() - at\n"

        assert read_twice("views.py", source + helper) == ["views.py: page"]
        assert read_twice("views.py", source) == []
