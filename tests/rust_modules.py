"""Which modules of a crate need which, as the paths in its sources say."""

import re
from pathlib import Path

START = re.compile(r"(?<![\w:])(crate|super|self)((?:::\w+)*)(::\{)?")
REEXPORT = re.compile(r"pub(?:\([\w ]+\))? use ((?:crate|super|self)\b[^;]*);")


def code(path):
    """A source without comments and unit tests."""
    text = path.read_text().split("#[cfg(test)]\nmod tests {")[0]
    return "\n".join(line.split("//")[0] for line in text.split("\n"))


def group(text, start):
    """What is between the brace at `start` and its own end."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return text[start + 1 : i]
    raise ValueError(text[start:])


def leaves(text, before):
    """The paths of a group in a `use`, each behind `before`."""
    items, depth = [""], 0
    for c in text:
        depth += (c == "{") - (c == "}")
        if c == "," and depth == 0:
            items.append("")
        else:
            items[-1] += c
    for item in filter(None, map(str.strip, items)):
        if inner := re.fullmatch(r"((?:\w+::)*)\{(.*)\}", item, re.DOTALL):
            yield from leaves(inner[2], before + tuple(inner[1].split("::")[:-1]))
        else:
            yield before + tuple(item.split(" as ")[0].split("::"))


def paths(text):
    """All paths that begin in this crate."""
    for found in START.finditer(text):
        head = (found[1], *found[2].split("::")[1:])
        if found[3]:
            yield from leaves(group(text, found.end() - 1), head)
        elif len(head) > 1:
            yield head


def absolute(module, path):
    at = {"crate": (), "self": module, "super": module[:-1]}[path[0]]
    rest = path[1:]
    while rest[:1] == ("super",):
        at, rest = at[:-1], rest[1:]
    return at + tuple(part for part in rest if part != "self")


def arrows(sources):
    """(module, module that it needs), each a tuple of names; names that a module exports for another are the other's."""
    modules = {}
    for path in Path(sources).rglob("*.rs"):
        parts = path.relative_to(sources).with_suffix("").parts
        modules[parts[:-1] if parts[-1] in {"mod", "lib", "main"} else parts] = code(path)
    exported = {}
    for module, text in modules.items():
        for statement in REEXPORT.finditer(text):
            for path in paths(statement[1]):
                full = absolute(module, path)
                exported[module + full[-1:]] = full

    def owner(full):
        while full not in modules and full in exported:
            full = exported[full]
        while full not in modules:
            full = full[:-1]
        return full

    pairs = {(module, owner(absolute(module, path))) for module, text in modules.items() for path in paths(text)}
    # A module's own parts are below it.
    return {(one, other) for one, other in pairs if other[: len(one)] != one}
