"""Bundles in which every text is an injection attempt."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from conftest import Viewer
from waiting import eventually
from webhosts import Outside

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.schema import SCHEMA_PATH
from karospace_jupyter.bundle.scripts import as_script, from_script

pytestmark = pytest.mark.e2e

PAYLOADS = [
    "<img src=planted onerror=planted()>",
    '"><script>planted()</script>',
    "javascript:planted()",
    "' onmouseover=planted() autofocus onfocus=planted() '",
    "<svg onload=planted()>",
    "<style>@import 'planted.css'</style>",
    "<iframe srcdoc='<script>parent.planted()</script>'></iframe>",
    "${planted()}{{planted()}}",
]
COLORS = ["url(planted.png)", "red;background:url(planted.png)", "#123456</style><script>planted()</script>"]
COUNT = "window.calls = 0; window.planted = () => { window.calls++; };"


def payload(number: int) -> str:
    return f"{PAYLOADS[number % len(PAYLOADS)]} {number}"


SECTIONS = (payload(71), payload(70))


@pytest.fixture(scope="module")
def hostile_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle with hostile columns, categories, genes, labels, IDs, sections, and a hostile view."""
    n, rng = 400, np.random.default_rng(0)
    which = np.arange(n) % 2
    obs = pd.DataFrame(
        {
            payload(100): pd.Categorical([payload(i % 9) for i in range(n)]),
            payload(101): [payload(20 + i % 5) for i in range(n)],
            payload(102): rng.random(n),
            payload(103): pd.Categorical([SECTIONS[i] for i in which]),
            payload(104): pd.Categorical([payload(80 + i) for i in which]),
        },
        index=[f"{payload(i)} id" for i in range(n)],
    )
    var = pd.DataFrame(
        {"gene_ids": [payload(50 + i) for i in range(9)], "alias": [f"{payload(60 + i)}|other{i}" for i in range(9)]},
        index=[payload(i) for i in range(9)],
    )
    adata = ad.AnnData(rng.random((n, 9), dtype=np.float32), obs=obs, var=var)
    adata.obsm["spatial"] = rng.random((n, 2)) * 100
    adata.obsm["X_umap"] = rng.random((n, 2))
    adata.obsm[payload(110)] = pd.DataFrame(
        rng.dirichlet([1, 1, 1], n), obs.index, [payload(i) for i in (111, 112, 113)]
    )
    adata.obsp["spatial_connectivities"] = sp.diags_array(np.ones(n - 2), offsets=2, shape=(n, n), format="csr")
    adata.uns["spatial"] = {
        name: {
            "images": {kind: rng.random((60, 60, 3), dtype=np.float32) for kind in kinds},
            "scalefactors": {"tissue_hires_scalef": 0.6, "spot_diameter_fullres": 2.0},
        }
        for name, kinds in zip(SECTIONS, (["hires"], []), strict=True)
    }
    region = {"name": payload(90), "color": "#123456", "bits": base64.b64encode(b"\xff" * 50).decode()}
    layout = {"kind": "sections", "columns": 2, "order": "column", "by": payload(104)}
    state = {
        "color": {"kind": "score", "name": payload(91), "genes": [payload(0), payload(1)]},
        "hidden": {payload(100): [payload(3)]},
        "classColors": {payload(100): {payload(1): "#123456"}},
        "groups": {payload(100): [{"name": payload(94), "members": [payload(4), payload(5)]}]},
        "geneSets": [{"name": payload(95), "genes": [payload(1), payload(3)]}],
        "layout": layout,
    }
    folder = tmp_path_factory.mktemp("hostile")
    view = {"karospace_view": 1, "n_cells": n, "state": state, "regions": [region]}
    (folder / "view.json").write_text(json.dumps(view))
    return adata_to_karospace(
        adata, folder / "bundle", genes_mode="all", packed="no", dataset_name=payload(0), sections=payload(103),
        gene_sets={payload(93): [payload(0), payload(2)]}, view=folder / "view.json", embed_origins=["https://lab.example"], scripts="yes",
    ).path  # fmt: skip


FIXED = {"schema_version", "format", "dtype", "y_axis", "observations", "sha256"}
"""Fields with fixed values: with any other text, the bundle does not open. They have a separate test."""


MEANINGFUL = {".schema_version", ".expression.format", ".asset_files[].sha256"}
"""Fields that also need fixed values, although their schema accepts any text."""


class Planter:
    """Replace every string with a hostile text; equal strings stay equal."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.paths: dict[str, str] = {}
        self.colors = 0

    def walk(self, value: Any, key: str = "", inside: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self.walk(inner, name, f"{inside}/{key}") for name, inner in value.items()}
        if isinstance(value, list):
            return [self.walk(inner, key, inside) for inner in value]
        if not isinstance(value, str) or key in FIXED or (key == "kind" and inside.endswith(("/columns", "/values"))):
            return value
        if key in {"path", "preview_path", "paths"}:
            suffix = value[value.index(".") :]
            text = payload(len(self.paths)).replace("/", "")
            return self.paths.setdefault(value, f"assets/{text}{suffix}")
        if key == "color":
            self.colors += 1
            return COLORS[self.colors % len(COLORS)]
        # Names that are already hostile are kept, so that tests can look for them.
        return value if "planted" in value else self.names.setdefault(value, payload(200 + len(self.names)))


def text_paths(node: Any, schema: Any, at: str = "") -> set[str]:
    """Return the paths in the schema that accept any text, such as `.columns[].name`, or any value."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    found = {at} if node.get("type") == "string" and not {"enum", "const"} & set(node) else set()
    if node.get("additionalProperties") is True:
        found.add(at)
    for name, inner in node.get("properties", {}).items():
        found |= text_paths(inner, schema, f"{at}.{name}")
    inside = [node["items"]] if isinstance(node.get("items"), dict) else []
    for inner in [*inside, *node.get("prefixItems", [])]:
        found |= text_paths(inner, schema, f"{at}[]")
    for inner in [*node.get("anyOf", []), *node.get("oneOf", [])]:
        found |= text_paths(inner, schema, at)
    return found


def hostile_paths(value: Any, at: str = "") -> set[str]:
    """Return the paths in a manifest that hold a hostile text."""
    if isinstance(value, dict):
        return {path for name, inner in value.items() for path in hostile_paths(inner, f"{at}.{name}")}
    if isinstance(value, list):
        return {path for inner in value for path in hostile_paths(inner, f"{at}[]")}
    return {at} if isinstance(value, str) and "planted" in value else set()


@pytest.fixture
def planted(hostile_bundle: Path, tmp_path: Path) -> Bundle:
    folder = Path(shutil.copytree(hostile_bundle, tmp_path / "bundle"))
    planter = Planter()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"generator": "x", "warnings": ["x", "y"]}
    view = manifest.pop("view")
    manifest = planter.walk(manifest)
    # The view is already hostile, except for colors, which the exporter validates; its other texts have fixed values.
    view["regions"][0]["color"] = COLORS[1]
    view["state"]["classColors"][payload(100)][payload(1)] = COLORS[1]
    manifest["view"] = view
    schema = json.loads(SCHEMA_PATH.read_text())
    found = hostile_paths(manifest)
    missed = {path for path in text_paths(schema, schema) - MEANINGFUL if not any(at.startswith(path) for at in found)}
    # These have a separate test.
    missed = {path for path in missed if not path.startswith((".packed.", ".other_matrices[]."))}
    assert missed == set(), "these fields hold no hostile text"
    for old, new in planter.paths.items():
        (folder / old).rename(folder / new)
    assert planter.colors > 0
    assert manifest["asset_files"][0]["kind"] in planter.names.values()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Bundle(folder)


@pytest.fixture
def watched(viewer: Viewer) -> Viewer:
    """Return a viewer that counts the calls of hostile scripts."""
    viewer.page.add_init_script(COUNT)
    return viewer


def assert_option(choice: Any, text: str) -> None:
    eventually(choice.locator("option").all_text_contents, lambda texts: text in texts, what=text)


def assert_harmless(viewer: Viewer, url: str, known: set[str]) -> None:
    """Assert that no script ran, nothing was requested, and no element was created."""
    assert viewer.page.evaluate("window.calls") == 0
    for request in viewer.requests:
        if not request.startswith(("blob:", "data:")):
            assert request.startswith(url), request
            assert unquote(request.removeprefix(url)) in known | {"", "manifest.json"}
    found = viewer.page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((element) =>
            ['IFRAME', 'OBJECT', 'EMBED', 'LINK', 'IMG', 'A'].includes(element.tagName) && element.rel !== 'icon'
            || element.tagName === 'SCRIPT' && element.textContent.length < 1000
            || [...element.attributes].some(({name, value}) => name.startsWith('on') || name === 'style' && /planted/.test(value))
          ).map((element) => element.outerHTML.slice(0, 200))"""
    )
    assert found == []


def test_hostile_texts_are_shown_as_text(planted: Bundle, serve: Any, watched: Viewer) -> None:
    viewer, page = watched, watched.page
    url = serve(planted.path)
    manifest = json.loads((planted.path / "manifest.json").read_text())
    known = {file["path"] for file in manifest["asset_files"]}
    viewer.open(url)
    page.wait_for_load_state("networkidle")

    def assert_shown(text: str) -> None:
        page.get_by_text(text, exact=True).first.wait_for()
        assert_harmless(viewer, url, known)

    first, second, numbers, section, by_section, proportions, *_ = (column["name"] for column in manifest["columns"])
    assert_shown(manifest["dataset_name"])
    assert viewer.state()["color"]["name"] == payload(91)
    page.get_by_role("region", name="Regions").get_by_text(payload(90), exact=True).wait_for()
    titles = page.locator(".ks-section-title")
    for name, value in zip(SECTIONS, (payload(80), payload(81)), strict=True):
        titles.get_by_text(name, exact=False).wait_for()
        titles.get_by_text(value, exact=False).first.wait_for()
    assert_option(page.get_by_label("Section order"), f"by {by_section}")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("dialog", name="Section filter").get_by_text(payload(80), exact=True).wait_for()
    page.keyboard.press("Escape")
    assert_harmless(viewer, url, known)
    embedding = manifest["embeddings"][0]
    viewer.set(layout={"kind": "section", "name": SECTIONS[1]}, beside={"kind": "embedding", "name": embedding["name"]})
    page.locator(".ks-beside").get_by_text(embedding["label"]).first.wait_for(state="attached")
    assert_harmless(viewer, url, known)
    viewer.set(layout={"kind": "tissue"}, beside=None, hidden={}, classColors={})
    viewer.set(color={"kind": "annotation", "column": first}, groupBy=first)
    assert_shown(payload(94))
    viewer.set(groups={})
    for category in manifest["columns"][0]["categories"]:
        assert_shown(category["name"])
    x, y = viewer.positions([7])[0]
    page.mouse.move(x - 20, y)
    page.mouse.move(x, y)
    tooltip = page.get_by_role("tooltip")
    tooltip.get_by_text(f"{payload(7)} id", exact=True).wait_for()
    tooltip.get_by_text(first, exact=True).wait_for()

    page.evaluate("n => window.karospace.select(Uint8Array.from({length: n}, (_, i) => i % 2))", manifest["n_cells"])
    page.get_by_role("region", name="Selection").get_by_text(payload(1), exact=True).first.wait_for()
    page.evaluate(
        "([name, color]) => window.karospace.setRegions([{name, color, mask: window.karospace.selection}])",
        [payload(2), COLORS[0]],
    )
    page.get_by_role("region", name="Regions").get_by_text(payload(2), exact=True).wait_for()
    assert_harmless(viewer, url, known)

    gene, other, unread = manifest["gene_list"][:3]
    viewer.set(color={"kind": "gene", "gene": gene})
    for name in (payload(93), payload(95)):
        assert_shown(name)
    panel = page.get_by_role("complementary", name="Color and display")
    split_by = panel.get_by_label("Split by")
    split_by.wait_for()
    assert_option(split_by, section)
    assert_option(split_by, first)
    panel.get_by_role("button", name="Violins", exact=True).click()
    panel.locator(".ks-violins").first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type("planted")
    page.get_by_role("option").get_by_text(other, exact=True).wait_for()
    page.get_by_role("option").get_by_text(manifest["gene_labels"][0]["labels"][1], exact=True).first.wait_for()
    assert_harmless(viewer, url, known)
    page.keyboard.press("Escape")
    for column in (second, numbers):
        viewer.set(color={"kind": "annotation", "column": column})
    viewer.set(color={"kind": "annotation", "column": proportions})
    panel.get_by_text("is a pie chart of its types").wait_for()
    assert_shown(payload(111))
    x, y = viewer.positions([9])[0]
    page.mouse.move(x - 20, y)
    page.mouse.move(x, y)
    tooltip.get_by_text(payload(112)).first.wait_for()
    viewer.set(color={"kind": "annotation", "column": first})
    page.get_by_role("button", name="Neighborhoods", exact=True).click()
    neighborhoods = page.get_by_role("region", name="Neighborhoods")
    neighborhoods.locator("svg").get_by_text("planted").first.wait_for()
    assert_harmless(viewer, url, known)
    neighborhoods.get_by_role("button", name="Close neighborhoods").click()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    assert_harmless(viewer, url, known)

    failure = page.evaluate("name => window.karospace.setState({color: {kind: 'gene', gene: name}}).then(() => '', String)", payload(999))  # fmt: skip
    assert payload(999) in failure
    assert viewer.problems == []

    path = next(entry["chunks"][0]["path"] for entry in manifest["expression"]["genes"] if entry["gene"] == unread)
    (planted.path / path).unlink()
    page.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}}).catch(() => null)", unread)
    page.get_by_role("alert").get_by_text(path).first.wait_for()
    assert_harmless(viewer, url, known)


def test_hostile_packed_genes_are_shown_as_text(serve: Any, watched: Viewer, tmp_path: Path) -> None:
    """Check names and labels in the index, and texts of the manifest that messages quote."""
    adata = ad.AnnData(
        np.ones((30, 9), dtype=np.float32),
        obs=pd.DataFrame({payload(100): pd.Categorical([payload(i % 3) for i in range(30)])}).set_index(
            pd.Index([f"c{i}" for i in range(30)])
        ),
        layers={payload(7).replace("/", ""): np.arange(270, dtype=np.float32).reshape(30, 9)},
        var=pd.DataFrame({"gene_ids": [payload(50 + i) for i in range(9)]}, index=[payload(i) for i in range(9)]),
        obsm={"spatial": np.random.default_rng(0).random((30, 2))},
    )
    folder = tmp_path / "b"
    layer = f"layer:{payload(7).replace('/', '')}"
    adata_to_karospace(
        adata, folder, genes_mode=[payload(0)], packed="yes", preview=False, scripts="no",
        matrices=["X", layer], markers=[payload(100)], color=payload(100),
    )  # fmt: skip
    url = serve(folder)
    page = watched.open(url).page
    page.get_by_role("tab", name="Gene").click()
    page.get_by_role("combobox", name="Gene", exact=True).fill(payload(58))
    page.get_by_role("option").get_by_text(payload(8), exact=True).first.click()
    watched.until(f"state.color.gene === {json.dumps(payload(8))}")
    assert watched.value(3) == 1
    manifest = json.loads((folder / "manifest.json").read_text())
    known = {file["path"] for file in manifest["asset_files"]}
    assert_harmless(watched, url, known)
    page.get_by_role("combobox", name="Matrix").select_option(layer)
    watched.until(f"state.matrix === {json.dumps(layer)}")
    assert watched.value(1) == 17
    watched.set(color={"kind": "annotation", "column": payload(100)}, matrix=None)
    page.get_by_role("list", name="Categories").get_by_text(payload(1), exact=True).hover()
    page.get_by_title(f"Markers of {payload(1)}", exact=False).click()
    page.get_by_text("computed at export").wait_for()
    assert_harmless(watched, url, known)
    other = manifest["other_matrices"][0]["packed"]
    other |= {"values": payload(1)}
    manifest["packed"]["markers"][0] |= {"column": payload(2)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    watched.open(url)
    page.get_by_text(payload(1)).first.wait_for()
    assert_harmless(watched, url, known)
    manifest["packed"] |= {"values": payload(0), "labels": [payload(1)]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    watched.open(url)
    page.get_by_text(payload(0)).first.wait_for()
    assert_harmless(watched, url, known)
    manifest["packed"] |= {"values": "ladder", "index": [f"../{payload(2)}"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    watched.open(url)
    page.get_by_text("outside the bundle").first.wait_for()
    assert_harmless(watched, url, known)


def test_hostile_script_paths_stay_inside_the_folder(hostile_bundle: Path, watched: Viewer, tmp_path: Path) -> None:
    """Check that a page opened from disk resolves any shard name to a file in its folder."""
    folder = Path(shutil.copytree(hostile_bundle, tmp_path / "bundle"))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["scripts"]
    for number, shard in enumerate(manifest["scripts"]):
        script = folder / shard["path"]
        text = base64.b64encode(from_script(shard["path"], script.read_bytes())).decode()
        shard["path"] = f"scripts/{payload(number).replace('/', '')}.js"
        script.unlink()
        (folder / shard["path"]).write_text(f"karospaceFile({json.dumps(shard['path'])},{json.dumps(text)})\n")
    (folder / "manifest.js").write_bytes(as_script("manifest.json", json.dumps(manifest).encode()))
    shutil.rmtree(folder / "assets")
    url = f"{folder.as_uri()}/"
    watched.open(f"{url}index.html")
    watched.set(color={"kind": "gene", "gene": payload(2)})
    assert isinstance(watched.value(0), float)
    known = {"index.html", "manifest.js", *(shard["path"] for shard in manifest["scripts"])}
    assert_harmless(watched, url, known)
    assert watched.problems == []


def test_hostile_tables_of_format_1_0_are_shown_as_text(
    hostile_bundle: Path, serve: Any, watched: Viewer, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(hostile_bundle, tmp_path / "bundle"))
    manifest = json.loads((folder / "manifest.json").read_text())
    later = ("coordinates", "cell_ids", "columns", "gene_labels", "embeddings", "sections", "view", "scripts")
    manifest |= dict.fromkeys(later)
    (folder / "manifest.json").write_text(json.dumps(manifest | {"schema_version": "1.0.0"}))
    url = serve(folder)
    watched.open(url)
    watched.set(color={"kind": "annotation", "column": payload(100)})
    for number in range(9):
        watched.page.get_by_text(payload(number), exact=True).first.wait_for()
    x, y = watched.positions([7])[0]
    watched.page.mouse.move(x - 20, y)
    watched.page.mouse.move(x, y)
    watched.page.get_by_role("tooltip").get_by_text(f"{payload(7)} id", exact=True).wait_for()
    assert_harmless(watched, url, {file["path"] for file in manifest["asset_files"]})


def put(*keys: str | int) -> Callable[[dict[str, Any], Any], None]:
    """Return a function that replaces one value in a manifest."""

    def replace(manifest: Any, text: Any) -> None:
        for key in keys[:-1]:
            manifest = manifest[key]
        manifest[keys[-1]] = text

    return replace


NOT_TEXTS = {
    "version": put("schema_version"),
    "format": put("expression", "format"),
    "coordinates": put("coordinates", "chunks", 0, "path"),
    "dtype": put("columns", 0, "dtype"),
    "kind": put("columns", 0, "kind"),
    "axis": put("coordinates", "y_axis"),
    "unit": put("coordinates", "unit_um"),
    "digest": put("asset_files", 0, "sha256"),
    "image": put("image", "path"),
    "section's image": put("sections", "items", 0, "image", "path"),
    "origins": put("embed_origins"),
    "preview": put("preview_path"),
    "cells": put("n_cells"),
    "genes": put("gene_list"),
    "count": put("columns", 0, "categories", 0, "count"),
    "whole": put("expression"),
}


@pytest.mark.parametrize("plant", NOT_TEXTS.values(), ids=NOT_TEXTS.keys())
def test_hostile_text_in_place_of_other_values_is_harmless(
    hostile_bundle: Path, serve: Any, watched: Viewer, tmp_path: Path, plant: Callable[[dict[str, Any], Any], None]
) -> None:
    folder = Path(shutil.copytree(hostile_bundle, tmp_path / "bundle"))
    manifest = json.loads((folder / "manifest.json").read_text())
    known = {file["path"] for file in manifest["asset_files"]}
    plant(manifest, PAYLOADS[0])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    url = serve(folder)
    watched.page.goto(url)
    watched.page.evaluate("window.karospace.ready.catch(() => null)")
    watched.page.wait_for_load_state("networkidle")
    # A hostile path may be requested, but only as a file of the bundle.
    assert_harmless(watched, url, known | {PAYLOADS[0]})
    assert not [problem for problem in watched.problems if "Failed to load resource" not in problem]


def test_paths_outside_the_bundle_are_not_requested(
    hostile_bundle: Path, serve: Any, watched: Viewer, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(hostile_bundle, tmp_path / "bundle"))
    manifest = json.loads((folder / "manifest.json").read_text())
    with Outside() as outside:
        host = f"127.0.0.1:{outside.port}"
        paths = [
            f"//{host}/x",
            f"http://{host}/x",
            f"\\\\{host}\\x",
            "../../x",
            "javascript:planted()",
            "data:,x",
            "/x",
        ]
        for entry, path in zip(manifest["expression"]["genes"], paths, strict=False):
            entry["chunks"][0]["path"] = path
        manifest["image"]["path"] = manifest["sections"]["items"][0]["image"]["path"] = paths[0]
        manifest["preview_path"] = paths[1]
        (folder / "manifest.json").write_text(json.dumps(manifest))
        url = serve(folder)
        watched.open(url)
        for gene in manifest["gene_list"][: len(paths)]:
            outcome = watched.page.evaluate(
                "gene => window.karospace.setState({color: {kind: 'gene', gene}}).then(() => '', String)", gene
            )
            assert outcome
        assert watched.page.evaluate("window.calls") == 0
        assert all(request.startswith((url, "blob:", "data:,")) for request in watched.requests), watched.requests
        assert outside.stop() == []
