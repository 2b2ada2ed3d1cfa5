"""The page's content security policy blocks every kind of request to other hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Viewer
from waiting import PATIENCE_MS
from webhosts import Outside

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("calls") / "bundle"
    return adata_to_karospace(synthetic_tissue(300, 5, seed=1), path, scripts="yes").path


CALLS = {
    "fetch": "fetch(at('/a')).then(() => 'sent', (e) => 'refused')",
    "no-cors": "fetch(at('/a'), {mode: 'no-cors'}).then(() => 'sent', () => 'refused')",
    "request": "new Promise((d) => { const r = new XMLHttpRequest(); r.onload = () => d('sent'); r.onerror = () => d('refused'); r.open('GET', at('/a')); r.send(); })",
    "beacon": "Promise.resolve(navigator.sendBeacon(at('/a'), 'x')).then(() => blocked)",
    "events": "new Promise((d) => { const s = new EventSource(at('/a')); s.onerror = () => { s.close(); d('refused'); }; })",
    "socket": "new Promise((d) => { const s = new WebSocket(at('/a').replace('http', 'ws')); s.onopen = () => d('sent'); s.onerror = () => d('refused'); })",
    "img": "element('img', 'src')",
    "script": "element('script', 'src')",
    "style": "element('link', 'href', {rel: 'stylesheet'})",
    "prefetch": "element('link', 'href', {rel: 'prefetch'})",
    "preload": "element('link', 'href', {rel: 'preload', as: 'script'})",
    "frame": "element('iframe', 'src')",
    "object": "element('object', 'data')",
    "video": "element('video', 'src')",
    "import": "import(at('/a.js')).then(() => 'sent', () => 'refused')",
    "worker": "Promise.resolve().then(() => new Worker('data:text/javascript,1')).then(() => blocked, () => 'refused')",
    # A worker that the page creates has the page's policy; violations are reported inside the worker.
    "import in a worker": "inWorker(`importScripts('${at('/a.js')}')`)",
    "fetch in a worker": "inWorker(`fetch('${at('/a')}')`)",
    "socket in a worker": "inWorker(`new WebSocket('${at('/a').replace('http', 'ws')}')`)",
    "font": "new FontFace('a', `url(${at('/a.woff2')})`).load().then(() => 'sent', () => 'refused')",
    "background": "element('div', 'style', {}, (url) => `width: 9px; height: 9px; background: url(${url})`)",
    "form": "new Promise((d) => { const f = document.createElement('form'); f.action = at('/a'); f.method = 'post'; document.body.append(f); blocked.then(d); f.submit(); })",
}


@pytest.mark.parametrize("how", ["http", "file"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_policy_blocks_requests_to_other_hosts(folder: Path, serve: Any, viewer: Viewer, call: str, how: str) -> None:
    """Each request is blocked by the page's policy, and no data reaches the other host."""
    viewer.open(serve(folder) if how == "http" else (folder / "index.html").as_uri())
    with Outside() as outside:
        outcomes = viewer.page.evaluate(
            """async ([host, patience]) => {
              const at = (path) => host + path;
              const blocked = new Promise((done) => document.addEventListener('securitypolicyviolation',
                () => done('refused'), {once: true}));
              const element = (tag, attribute, more = {}, of = (url) => url) => {
                const node = document.createElement(tag);
                for (const [name, value] of Object.entries(more)) node.setAttribute(name, value);
                node.setAttribute(attribute, of(at('/a')));
                document.body.append(node);
                return blocked;
              };
              const inWorker = (script) => {
                const report = "addEventListener('securitypolicyviolation', () => postMessage('refused'));";
                const worker = new Worker(URL.createObjectURL(new Blob([report + script])));
                worker.onmessage = () => document.dispatchEvent(new Event('securitypolicyviolation'));
                return blocked;
              };
              const timeout = new Promise((done) => setTimeout(done, patience, 'timed out'));
              return Promise.all([CALL, blocked].map((outcome) => Promise.race([outcome, timeout])));
            }""".replace("CALL", call),
            [f"http://127.0.0.1:{outside.port}", PATIENCE_MS],
        )
        assert outcomes == ["refused", "refused"]
        # Chromium may open a connection before it checks the policy of a frame or form, but sends nothing on it.
        assert [received for received in outside.stop() if received] == []
