"""Words: those the glossary refuses, names that say nothing, and promises to do it later."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath

from testkit.tidy.checkout import Checkout, Module

GLOSSARY = "docs/glossary.md"
WORDS_MAX = 30
_READ = (".py", ".md", ".sql", ".html", ".toml", "Makefile")
_CLASS_NAMES = re.compile(r"Manager|Helper|^_?(Base|Abstract)[A-Z]|Impl$")
_FUNCTION_NAMES = re.compile(r"^_*(process|handle|do)_[a-z]")  # do_GET is what http.server asks for.
_FILE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
_LATER = re.compile(r"\b(TODO|FIXME)\b(?!\(#\d+\))")


def refused_words(checkout: Checkout) -> dict[str, str]:
    """Return what the glossary refuses and what to say instead: the second table of docs/glossary.md, first and second column."""
    _, _, section = checkout.read(GLOSSARY).partition("## Words we refuse")
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|", section, re.MULTILINE)
    return {word: instead for words, instead in rows for word in re.findall(r"`([^`]+)`", words)}


def uses_of_refused_words(checkout: Checkout) -> list[str]:
    """One concept, one word: a refused one is refused in code, comments, tests and documents, also within a longer name."""
    refused = {
        re.compile(re.escape(word).replace(r"\ ", "[ _-]?"), re.IGNORECASE): (word, say) for word, say in refused_words(checkout).items()
    }
    return [
        f"{path}:{number}: '{word}' is refused, say {say}"
        for path in checkout.files
        if path.endswith(_READ) and path != GLOSSARY
        for number, line in enumerate(checkout.read(path).splitlines(), start=1)
        for pattern, (word, say) in refused.items()
        if pattern.search(line)
    ]


def empty_names(checkout: Checkout) -> list[str]:
    """No name that only says that something is done with something."""
    found = []
    for module in checkout.modules:
        if PurePosixPath(module.path).stem in _FILE_NAMES or _FILE_NAMES & set(PurePosixPath(module.path).parts):
            found.append(f"{module.path}: a drawer; name it after what is in it")
        for node in module.nodes:
            if isinstance(node, ast.ClassDef) and _CLASS_NAMES.search(node.name):
                found.append(f"{module.path}:{node.lineno}: the class name {node.name} says nothing")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _FUNCTION_NAMES.search(node.name):
                found.append(f"{module.path}:{node.lineno}: the function name {node.name} says nothing")
    return found


def promises_without_an_issue(checkout: Checkout) -> list[str]:
    """What is left to do is an issue; a comment may point at it by number."""
    found = [
        f"{module.path}:{line}: left for later without an issue" for module in checkout.modules for line in _comments_for_later(module)
    ]
    return found + [
        f"{path}:{number}: left for later without an issue"
        for path in checkout.files
        if path.endswith(_READ[1:])
        for number, line in enumerate(checkout.read(path).splitlines(), start=1)
        if _LATER.search(line)
    ]


def glossary_too_long(checkout: Checkout) -> list[str]:
    """A glossary is short enough to be learnt."""
    words, _, _ = checkout.read(GLOSSARY).partition("## Words we refuse")
    rows = len(re.findall(r"^\| \*\*", words, re.MULTILINE))
    return [] if 0 < rows <= WORDS_MAX else [f"{GLOSSARY}: {rows} words, at most {WORDS_MAX}"]


def _comments_for_later(module: Module) -> Iterator[int]:
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT and _LATER.search(token.string):
            yield token.start[0]
