"""What holds for every file of the package: who may import whom, no clock, no hidden state, no pickle."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from pathlib import Path

import pytest

import salesanalytics as sa

PACKAGE = Path(sa.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
#: The rooms in the order in which data walk through them; a room imports from those above it and from itself.
ROOMS = (
    "errors", "labels", "process", "book", "timeline", "features", "models", "forecast", "control", "reps", "plots",
    "report", "simulate", "cli",
)  # fmt: skip
ONLY = {"labels": {"errors"}, "simulate": {"errors", "process", "book"}, "errors": set()}


def allowed(room):
    return ONLY.get(room, set(ROOMS[: ROOMS.index(room)]) - {"simulate"} | ({"simulate"} if room == "cli" else set()))


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path):
    """Absolute names of all modules that a file imports, wherever it does so, also by `import_module`."""
    here = ["salesanalytics", *path.relative_to(PACKAGE).with_suffix("").parts]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: -node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("import_module") and node.args:
            if isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)
            elif path.parent != PACKAGE:
                yield "salesanalytics.<a name made up at run time>"


def dotted(node):
    """``pd.Timestamp.now`` of an attribute chain; empty for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *parts[::-1]]) if isinstance(node, ast.Name) else ""


def dotted_names(path):
    """All attribute chains of a file, imported names spelled out (``date.today`` -> ``datetime.date.today``)."""
    known = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            known |= {a.asname or a.name: a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            known |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for node in ast.walk(tree(path)):
        name = dotted(node) if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name:
            first, _, rest = name.partition(".")
            yield ".".join(filter(None, [known.get(first, first), rest])), node.lineno


def test_every_file_lives_in_a_room():
    strangers = {room_of(path) for path in FILES} - set(ROOMS) - {"__init__", "__main__"}
    assert strangers == set()


@pytest.mark.parametrize("path", [p for p in FILES if p.parent != PACKAGE or p.stem in ROOMS], ids=lambda p: p.stem)
def test_a_room_imports_only_from_rooms_above_it(path):
    own = room_of(path)
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("salesanalytics.")}
    assert rooms - {own} - allowed(own) == set()


def test_the_check_of_imports_sees_what_is_wrong(tmp_path, monkeypatch):
    lines = ["from salesanalytics.forecast import x", "from ..plots import y", "import salesanalytics.cli"]
    text = "\n    ".join(["def f():", *lines])
    (tmp_path / "book").mkdir()
    file = tmp_path / "book" / "a.py"
    file.write_text(text)
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    assert set(imported(file)) == {"salesanalytics.forecast.x", "salesanalytics.plots.y", "salesanalytics.cli"}
    assert "forecast" not in allowed("book")


def test_no_circular_imports_within_a_room():
    edges = {}
    for path in FILES:
        name = ".".join(["salesanalytics", *path.relative_to(PACKAGE).with_suffix("").parts])
        edges[name] = {n for i in _at_the_top(path) for n in (i, i.rpartition(".")[0])} - {name}
    modules = {name: {e for e in found if e in edges} for name, found in edges.items()}
    while leaves := [name for name, found in modules.items() if not found & set(modules)]:
        modules = {name: found for name, found in modules.items() if name not in leaves}
    assert modules == {}


def _at_the_top(path):
    for node in tree(path).body:
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_nothing_is_called_utils():
    names = {part for path in FILES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert names & {"utils", "util", "helpers", "misc", "common"} == set()


CLOCKS = {
    "datetime.date.today", "datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow",
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.strftime", "time.ctime",
    "pandas.Timestamp.now", "pandas.Timestamp.today", "pandas.Timestamp.utcnow", "pandas.to_datetime.now",
}  # fmt: skip
SQL_CLOCKS = ("current_date", "current_timestamp", "now()", "today()", "getdate")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_knows_what_day_it_is(path):
    assert [(name, line) for name, line in dotted_names(path) if name in CLOCKS] == []
    texts = [n for n in ast.walk(tree(path)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert [(t.value, t.lineno) for t in texts if any(word in t.value.lower() for word in SQL_CLOCKS)] == []
    stamps = [t for t in texts if t.value in ("now", "today")]
    assert [(t.value, t.lineno) for t in stamps] == []


#: Making a generator is fine; drawing from the one of the module is not.
GENERATORS = {"Generator", "default_rng", "SeedSequence", "PCG64", "Philox", "BitGenerator"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_randomness_is_handed_down_never_global(path):
    names = [(name, line) for name, line in dotted_names(path) if name.startswith(("numpy.random.", "random."))]
    assert [(n, line) for n, line in names if n.removeprefix("numpy.random.").split(".")[0] not in GENERATORS] == []
    unseeded = [
        n.lineno
        for n in ast.walk(tree(path))
        if isinstance(n, ast.Call) and dotted(n.func).endswith("default_rng") and not n.args and not n.keywords
    ]
    assert unseeded == []


UNSAFE = ("pickle", "dill", "cloudpickle", "shelve", "marshal")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_is_unpickled_or_run_from_text(path):
    assert [name for name in imported(path) if name.split(".")[0] in UNSAFE] == []
    bad = {"joblib.load", "joblib.dump", "joblib.Memory"}
    bad |= {"pandas.read_pickle", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "eval", "exec", "numpy.load"}
    assert [(name, line) for name, line in dotted_names(path) if name in bad] == []


# ---------------------------------------------------------------- the public names


def public():
    return [(name, getattr(sa, name)) for name in sa.__all__]


def functions():
    """Public functions, and the public methods of public classes."""
    for name, thing in public():
        if inspect.isfunction(thing):
            yield name, thing
        elif inspect.isclass(thing):
            yield from ((f"{name}.{m}", f) for m, f in inspect.getmembers(thing, inspect.isfunction) if m[0] != "_")


def test_all_is_what_the_package_offers():
    assert sorted(set(sa.__all__)) == sa.__all__
    assert set(sa.__all__) <= set(dir(sa))
    with pytest.raises(AttributeError, match="forecast_everything"):
        _ = sa.forecast_everything


def test_as_of_is_a_keyword_without_default():
    asked = [(name, inspect.signature(f).parameters) for name, f in functions()]
    dated = [(name, p[key]) for name, p in asked for key in ("as_of", "known_at", "until") if key in p]
    assert len([1 for name, _ in dated if name]) >= 6
    wrong = [n for n, p in dated if p.kind is not p.KEYWORD_ONLY or p.default is not p.empty]
    assert wrong == []


def test_data_first_and_all_else_by_keyword_and_never_kwargs():
    for name, function in functions():
        parameters = list(inspect.signature(function).parameters.values())
        assert not any(p.kind is p.VAR_KEYWORD for p in parameters), name
        if parameters and parameters[0].name == "book":
            assert all(p.kind is p.KEYWORD_ONLY for p in parameters[1:]), name


def test_every_public_name_says_what_it_is():
    for name, thing in [*public(), *functions()]:
        assert (inspect.getdoc(thing) or "").strip(), name
    for name, function in functions():
        if "." not in name and "book" in inspect.signature(function).parameters:
            assert "Returns" in inspect.getdoc(function), name


def test_importing_the_package_loads_no_room():
    top = [node for node in tree(PACKAGE / "__init__.py").body if isinstance(node, ast.ImportFrom)]
    assert [node.module for node in top if "salesanalytics" in (node.module or "")] == []
