"""Check that the licenses of bundled packages and of dependencies allow redistribution."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from karospace_jupyter.static import static_text

ROOT = Path(__file__).parents[1]
PERMISSIVE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|HPND|Historical Permission|MPL-2|Mozilla Public License 2|Zlib|"
    r"Unlicense|CC0|0BSD",
    re.IGNORECASE,
)


def required_licenses() -> dict[str, str]:
    """Return the license fields in the metadata of every required distribution, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    licenses: dict[str, str] = {}
    pending = list(project["dependencies"])
    while pending:
        requirement = Requirement(pending.pop())
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = requirement.name.lower().replace("_", "-")
        if name in licenses:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:  # for another platform
            continue
        licenses[name] = " ".join(license_fields(package.metadata.json))
        pending += package.requires or []
    return licenses


def license_fields(metadata: dict[str, str | list[str]]) -> Iterator[str]:
    yield str(metadata.get("license_expression", ""))
    yield str(metadata.get("license", ""))[:400]
    yield from (line for line in metadata.get("classifier", []) if line.startswith("License"))


def test_dependencies_have_permissive_licenses() -> None:
    licenses = required_licenses()
    assert {"anndata", "numpy", "pydantic"} <= set(licenses)
    assert {name: text for name, text in licenses.items() if not PERMISSIVE.search(text)} == {}


@pytest.mark.parametrize("file", ["NOTICES.txt", "viewer.html"])
def test_licenses_of_bundled_packages_are_included(file: str) -> None:
    text = static_text(file)
    for package in ("preact", "@preact/signals", "@preact/signals-core"):
        assert re.search(rf"^{package} [0-9.]+ \(MIT\)$", text, re.MULTILINE), package
    assert text.count("Permission is hereby granted, free of charge") == 3
