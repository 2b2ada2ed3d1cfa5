"""Messages between the viewer and an embedding page: allowed origins and answers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import pytest
from conftest import Viewer
from playwright.sync_api import expect

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

Serve = Callable[[Path], str]

OUTER = """<!doctype html><title>outer</title><iframe width="700" height="500"></iframe><script>
const heard = [];
const waiting = new Map();
const ready = new Promise((resolve) => {
  addEventListener('message', ({data}) => {
    if (data.karospace === 'ready') resolve('ready');
    if (data.karospace === 'answer') waiting.get(data.id)?.(data);
    if (data.karospace === 'event') heard.push(data);
  });
});
function ask(name, ...args) {
  const id = Math.random();
  frames[0].postMessage({karospace: name, id, args}, '*');
  return new Promise((resolve) => waiting.set(id, resolve));
}
const frame = document.querySelector('iframe');
// Sent before the viewer can answer.
const early = new Promise((resolve) => frame.addEventListener('load', () => resolve(ask('cells'))));
frame.src = INNER;
</script>"""


@pytest.fixture
def outer(tmp_path: Path, serve: Serve) -> tuple[Path, str]:
    """A folder for embedding pages, served at another origin than the bundle, and its address."""
    folder = tmp_path / "outer"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    return folder, serve(folder)


def exported(tmp_path: Path, **options: Any) -> tuple[ad.AnnData, Path]:
    adata = synthetic_tissue(n_cells=2000, seed=1)
    bundle = adata_to_karospace(adata, tmp_path / "bundle", genes_mode=["EPCAM", "CD3E"], **options)
    assert bundle.path is not None
    return adata, bundle.path


def framed(viewer: Viewer, page: Path, address: str, inner: str) -> Callable[[str], Any]:
    """Open a page that embeds the viewer at `inner`; return a function that runs JavaScript in the page."""
    page.write_text(OUTER.replace("INNER", repr(f"{inner}?embed=1")))
    viewer.page.goto(address + page.name)
    assert viewer.page.evaluate("ready") == "ready"

    def run(expression: str) -> Any:
        return viewer.page.evaluate(expression)

    return run


def test_page_of_an_allowed_origin_controls_the_viewer(
    viewer: Viewer, outer: tuple[Path, str], serve: Serve, tmp_path: Path
) -> None:
    folder, address = outer
    adata, bundle = exported(tmp_path, embed_origins=[address.rstrip("/")])
    run = framed(viewer, folder / "index.html", address, serve(bundle))
    frame = viewer.page.frame_locator("iframe")
    frame.get_by_label("Legend").wait_for()
    for label in ("Color and display", "Tools", "Regions"):
        expect(frame.get_by_label(label)).to_have_count(0)
    assert run("early")["value"] == adata.n_obs
    assert run("ask('on', 'state')")["value"] is None
    assert "error" not in run("ask('setState', {color: {kind: 'gene', gene: 'EPCAM'}})")
    assert run("ask('getState')")["value"]["color"]["gene"] == "EPCAM"
    assert run("ask('valueAt', 17)")["value"] == pytest.approx(float(adata[17, "EPCAM"].X.toarray()[0, 0]), rel=1e-6)
    assert run("heard.some(({event, detail}) => event === 'state' && detail.color.gene === 'EPCAM')")
    assert "NOPE" in run("ask('setState', {color: {kind: 'gene', gene: 'NOPE'}})")["error"]
    frame.get_by_label("Legend").get_by_text("EPCAM").wait_for()
    assert run("ask('picture', {scale: 1}).then(({value}) => [value.type, value.size > 1000])") == ["image/png", True]
    assert run("ask('table')")["value"].startswith("cell_id,x,y,x_um,y_um,EPCAM\r\n")
    for unknown in ("constructor", "nothing"):
        assert "Unknown message" in run(f"ask('{unknown}')")["error"]
    assert "Unknown event" in run("ask('on', 'toString')")["error"]
    # No events after `off`: the event of a change would arrive before its answer.
    assert run("ask('off', 'state')")["value"] is None
    run("heard.length = 0")
    run("ask('setState', {color: {kind: 'gene', gene: 'CD3E'}})")
    assert run("ask('getState')")["value"]["color"]["gene"] == "CD3E"
    assert run("heard") == []
    if shots := os.environ.get("KAROSPACE_SHOTS"):
        viewer.page.screenshot(path=f"{shots}/embed.png")


def test_page_of_another_origin_gets_only_errors(
    viewer: Viewer, outer: tuple[Path, str], serve: Serve, tmp_path: Path
) -> None:
    folder, address = outer
    _, bundle = exported(tmp_path, embed_origins=["https://lab.example"])
    run = framed(viewer, folder / "index.html", address, serve(bundle))
    for call in ("'getState'", "'valueAt', 0", "'cells'", "'snapshot'", "'on', 'hover'", "'setState', {theme: 'dark'}"):
        answer = run(f"ask({call})")
        assert "value" not in answer
        assert address.rstrip("/") in answer["error"]
    assert run("heard") == []
    assert viewer.page.frames[1].evaluate("window.karospace.getState().theme") == "auto"


def test_page_of_the_same_origin_is_always_allowed(viewer: Viewer, serve: Serve, tmp_path: Path) -> None:
    adata, bundle = exported(tmp_path)
    url = serve(bundle)
    run = framed(viewer, bundle / "outer.html", url, url)
    assert run("ask('cells')")["value"] == adata.n_obs


# Each message is generated from its number alone, so that failures can be reproduced.
ODD_MESSAGES = """async ([first, count]) => {
  const names = ['getState', 'setState', 'getView', 'setView', 'project', 'valueAt', 'selection', 'select', 'regions',
    'setRegions', 'snapshot', 'table', 'cells', 'setSystemDark', 'setWaiting', 'liveObjects', 'embedOrigins', 'on', 'off',
    'picture', 'ready', 'toString', '__proto__', ''];
  const odd = [null, undefined, true, '', 'x', '../x', '\\ud800', [], {}, [null], [[]], {length: 1e9}, 0, -1, 0.5, 1e308, NaN,
    Infinity, 2 ** 53, new Date(NaN), new Uint8Array(3), new Uint8Array(2000), new Map([[1, 2]]), 10n, 'é'.repeat(999)];
  const fields = ['color', 'camera', 'hidden', 'range', 'theme', 'layout', 'beside', 'opacity', 'pointSize', 'colormap',
    'imageOpacity', 'classColors', 'groupBy', 'turn', 'flip', 'log', 'nothing', '__proto__', 'scale', 'name', 'mask', 'bits',
    'cells', 'karospace_view', 'n_cells', 'state', 'regions', 'kind', 'gene', 'column', 'x', 'y', 'zoom'];
  const texts = ['gene', 'annotation', 'blend', 'none', 'EPCAM', 'CD3E', 'cell_type', 'sections', 'embedding', 'X_umap', 'dark',
    'auto', '#12345', 'state', 'hover', 'tissue'];
  const answers = [];
  for (let number = first; number < first + count; number++) {
    let seed = number * 2654435761 >>> 0;
    const random = () => {
      seed = seed + 0x6d2b79f5 | 0;
      let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
      t ^= t + Math.imul(t ^ t >>> 7, 61 | t);
      return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
    };
    const pick = (list) => list[Math.floor(random() * list.length)];
    const value = (depth) => {
      const chance = random();
      if (chance < 0.35 || depth === 0) return pick(odd);
      if (chance < 0.55) return pick(texts);
      if (chance < 0.65) return Array.from({length: 3}, () => value(depth - 1));
      const made = {};
      for (let times = 1 + Math.floor(random() * 4); times > 0; times--) made[pick(fields)] = value(depth - 1);
      return made;
    };
    const name = pick(names);
    const args = Array.from({length: Math.floor(random() * 3)}, () => value(3));
    frames[0].postMessage(pick([null, 5, [], {karospace: 5}, {karospace: {}}, {type: 'karospace:init'}, 'x']), '*');
    const {value: _, error} = await ask(name, ...args);
    if (error !== undefined) answers.push(`${number} ${name}: ${error}`);
  }
  return answers;
}"""


def test_malformed_messages_get_readable_errors(
    viewer: Viewer, outer: tuple[Path, str], serve: Serve, tmp_path: Path
) -> None:
    """KAROSPACE_FUZZ_INPUTS sets the number of messages (200 by default)."""
    folder, address = outer
    adata, bundle = exported(tmp_path, embed_origins=[address.rstrip("/")])
    run = framed(viewer, folder / "index.html", address, serve(bundle))
    wanted = int(os.environ.get("KAROSPACE_FUZZ_INPUTS", "200"))
    refused = []
    for first in range(0, wanted, 50):
        refused += viewer.page.evaluate(ODD_MESSAGES, [first, 50])
    assert len(refused) > wanted / 20
    # Parts of the messages of errors that the viewer did not foresee.
    unexpected_error = re.compile(
        "Cannot |is not a |iterable|reading|Unexpected|Part of this bundle could not be read|Failed to"
    )
    unexpected = [text for text in refused if unexpected_error.search(text)]
    assert not unexpected, "\n".join(viewer.problems) + "\n".join(unexpected)
    assert "error" not in run("ask('setState', {color: {kind: 'gene', gene: 'CD3E'}})")
    assert run("ask('valueAt', 17)")["value"] == pytest.approx(float(adata[17, "CD3E"].X.toarray()[0, 0]), rel=1e-6)
    no_icon = "Failed to load resource"  # the embedding page has none
    assert [text for text in viewer.problems if not text.startswith(no_icon)] == []
