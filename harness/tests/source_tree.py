"""What the laws read: the Python modules of a tree, parsed once, and who imports whom.

Nothing is imported to be judged, so a module that cannot even be imported is judged all the same. A module
that cannot be parsed is an error, never a pass.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

PACKAGES = ("reference_server", "harness", "scenarios", "loadtests", "e2e", "reports")
PROJECT_ROOT = Path(__file__).resolve().parents[2]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Import:
    """One name that one line brings in; `lazy` inside a function, `typing_only` under TYPE_CHECKING."""

    target: str
    line: int
    lazy: bool
    typing_only: bool


@dataclass(frozen=True)
class Module:
    """A parsed Python file: dotted name, path from the tree's root, text."""

    name: str
    path: Path
    text: str
    is_package: bool

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self, self.tree, lazy=False, typing_only=False))

    @property
    def own_imports(self) -> tuple[Import, ...]:
        """The imports of our own modules, whether they exist or not."""
        return tuple(found for found in self.imports if within(found.target, *PACKAGES))

    @property
    def is_test(self) -> bool:
        parts = self.name.split(".")
        return "tests" in parts or "conftest" in parts

    @property
    def owner(self) -> str:
        """The package a test lies beside; for any other module, the package it is in."""
        parts = self.name.split(".")
        if "tests" in parts:
            return ".".join(parts[: parts.index("tests")])
        return self.name if self.is_package else ".".join(parts[:-1])

    def functions(self) -> Iterator[FunctionNode]:
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionNode):
                yield node


@dataclass(frozen=True)
class SourceTree:
    """Every Python module under the six packages of one root."""

    root: Path
    modules: Mapping[str, Module] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> "SourceTree":
        """Read and parse; raise SyntaxError for a file that is no Python."""
        found = (_module(root, path) for package in PACKAGES for path in sorted((root / package).rglob("*.py")))
        return cls(root, {module.name: module for module in found})

    @property
    def packages(self) -> set[str]:
        return {name.split(".")[0] for name in self.modules}

    def resolve(self, dotted: str) -> str | None:
        """Name the module of ours that `dotted` (a module, or a name inside one) comes from."""
        parts = dotted.split(".")
        names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((name for name in names if name in self.modules), None)


def written_tree(root: Path, files: Mapping[str, str]) -> SourceTree:
    """Write modules by dotted name, for the bad examples, and read the tree back."""
    for name, text in files.items():
        path = root.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return SourceTree.read(root)


def within(name: str, *packages: str) -> bool:
    """Tell whether a dotted name is one of these packages or lies in one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


def offences(tree: SourceTree, law: Callable[[SourceTree, Module], Iterator[str]]) -> list[str]:
    """Apply a law to every module of the tree."""
    return [offence for module in tree.modules.values() for offence in law(tree, module)]


def _module(root: Path, path: Path) -> Module:
    relative = path.relative_to(root)
    is_package = relative.name == "__init__.py"
    name = ".".join((relative.parent if is_package else relative.with_suffix("")).parts)
    return Module(name, relative, path.read_text(encoding="utf-8"), is_package)


def _imports(module: Module, parent: ast.AST, *, lazy: bool, typing_only: bool) -> Iterator[Import]:
    for node in ast.iter_child_nodes(parent):
        for target in _targets(module, node):
            yield Import(target, getattr(node, "lineno", 0), lazy, typing_only)
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            for child in node.body:
                yield from _imports(module, _wrapped(child), lazy=lazy, typing_only=True)
            for child in node.orelse:
                yield from _imports(module, _wrapped(child), lazy=lazy, typing_only=typing_only)
        else:
            inside = isinstance(node, FunctionNode | ast.Lambda)
            yield from _imports(module, node, lazy=lazy or inside, typing_only=typing_only)


def _targets(module: Module, node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(names=names):
            base = _base(module, node)
            yield from (base if alias.name == "*" else f"{base}.{alias.name}" for alias in names)
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
            # A module named in a string is imported just as well.
            if _last_name(function) in ("import_module", "__import__"):
                yield name
        case _:
            pass


def _wrapped(statement: ast.stmt) -> ast.Module:
    return ast.Module(body=[statement], type_ignores=[])


def _is_type_checking(test: ast.expr) -> bool:
    return _last_name(test) == "TYPE_CHECKING"


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _base(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.name.split(".")
    kept = len(parts) - node.level + (1 if module.is_package else 0)
    return ".".join([*parts[:kept], *([node.module] if node.module else [])])
