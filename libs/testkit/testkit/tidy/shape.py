"""The shape of the tree: the same files in every service, short functions and files, members declared wherever they must be."""

import ast
import re
import tomllib
from pathlib import PurePosixPath

from testkit.tidy.checkout import Checkout

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
LAYERS = ("app", "settings", "routes", "subscriptions", "schemas", "handlers", "queries", "tables", "domain")
TESTS = ("test_domain.py", "test_handlers.py", "test_queries.py", "test_routes.py")
HEADINGS = ("Owns", "Publishes", "Consumes", "HTTP", "Invariants")
_ONE_BY_ONE = {"demo", "bench", "torture"}


def long_functions(checkout: Checkout) -> list[str]:
    """No function is longer than a screen; a migration is a list of statements and may be."""
    return [
        f"{module.path}:{node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES_MAX} are readable"
        for module in checkout.modules
        if not module.is_migration
        for node in module.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def long_files(checkout: Checkout) -> list[str]:
    """A module that grows longer becomes a package of the same name, split by noun."""
    return [
        f"{module.path}: {lines} lines, at most {FILE_LINES_MAX}: split it by noun"
        for module in checkout.modules
        if not module.is_migration and (lines := module.text.count("\n")) > FILE_LINES_MAX
    ]


def unequal_services(checkout: Checkout) -> list[str]:
    """Whoever has read one service can guess every file name in the other four."""
    found = []
    for service in checkout.services:
        home = f"services/{service}"
        wanted = ["README.md", "pyproject.toml", "migrations/versions", *(f"tests/{name}" for name in TESTS)]
        found += [f"{home}/{path} is missing" for path in wanted if not checkout.has(f"{home}/{path}")]
        for layer in LAYERS:
            forms = [f"{home}/{service}/{layer}.py", f"{home}/{service}/{layer}/__init__.py"]
            if sum(map(checkout.has, forms)) != 1:
                found.append(f"{forms[0]} is missing (or a package beside it)")
        others = {PurePosixPath(module.path).parts[3].removesuffix(".py") for module in checkout.code_of(service)} - {*LAYERS, "__init__"}
        found += [f"{home}/{service}/{name}: not one of the modules that every service has" for name in sorted(others)]
    return found


def readmes_without_headings(checkout: Checkout) -> list[str]:
    """A service's README says what it owns, publishes, consumes, answers and must never allow, in this order; more may stand between."""
    found = []
    for service in checkout.services:
        path = f"services/{service}/README.md"
        text = checkout.read(path)
        if not text.startswith(f"# {service}\n"):
            found.append(f"{path}: the title is not the service's name")
        headings = [heading.split(" (")[0] for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)]
        if [heading for heading in headings if heading in HEADINGS] != list(HEADINGS):
            found.append(f"{path}: the headings {', '.join(HEADINGS)} are not all there, in this order")
    return found


def undeclared_members(checkout: Checkout) -> list[str]:
    """Every member of the workspace stands wherever members are listed: installed, type-checked and linted like the others."""
    project = tomllib.loads(checkout.read("pyproject.toml"))
    contracts = re.search(r"^root_packages =\n((?: +\w+\n)+)", checkout.read(".importlinter"), re.MULTILINE)
    lists = {
        "[tool.uv.sources] of pyproject.toml": {name.removeprefix("receivables-") for name in project["tool"]["uv"]["sources"]},
        "mypy_path of pyproject.toml": {PurePosixPath(path).name for path in project["tool"]["mypy"]["mypy_path"].split(":")},
        "the members of the Makefile": set(re.findall(r"[\w/]*?(\w+)(?=\s)", _assigned(checkout.read("Makefile"), "members"))),
        "the packages of the Makefile": set(_assigned(checkout.read("Makefile"), "packages").split()),
        "the members of scripts/setup.sh": set(
            re.findall(r"(\w+)[ \"]", " ".join(re.findall(r'members=(".*")', checkout.read("scripts/setup.sh"))))
        ),
        "root_packages of .importlinter": set(contracts[1].split()) if contracts else set(),
    }
    members = {
        PurePosixPath(path).parent.name
        for path in checkout.files
        if path.endswith("/pyproject.toml") and (path.startswith(("services/", "libs/")) or path.split("/")[0] in _ONE_BY_ONE)
    }
    return [f"{member} is not among {place}" for place, declared in lists.items() for member in sorted(members - declared)]


def _assigned(makefile: str, name: str) -> str:
    """Return the value of a Makefile variable with its continuation lines, and a space behind."""
    found = re.search(rf"^{name} := ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    return found[1].replace("\\\n", " ") + " " if found else ""
