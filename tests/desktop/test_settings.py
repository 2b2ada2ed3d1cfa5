"""Settings are loaded from a file with any content."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from karospace_jupyter.desktop.settings import GEOMETRY, Settings, load, save


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "null", '{"recent": [1]}', '{"recent": ["a\\u0000"]}', '{"zoom": "big"}', '{"zoom": true}',
        '{"theme": "pink"}', '{"geometry": "-5x-5+0+0"}', '{"geometry": "900x600"}', '{"geometry": "0x0+1+1"}',
        '{"geometry": "1e9x5+1+1"}', '{"folder": "\\u0000"}', '{"choices": []}', "[" * 100_000, "\udcff",
    ],
)  # fmt: skip
def test_invalid_settings_are_reset(tmp_path: Path, text: str) -> None:
    file = tmp_path / "desktop.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    settings, note = load(file)
    assert settings == Settings()
    assert str(file) in note


@pytest.mark.parametrize(("zoom", "kept"), [("NaN", 1.0), ("1e9", 3.0), ("0", 0.5), ("1.5", 1.5)])
def test_zoom_is_limited(tmp_path: Path, zoom: str, kept: float) -> None:
    file = tmp_path / "desktop.json"
    file.write_text(f'{{"zoom": {zoom}}}')
    assert load(file)[0].zoom == kept


def test_settings_round_trip(tmp_path: Path) -> None:
    file = tmp_path / "new" / "desktop.json"
    settings = Settings(recent=["/a/π 🧬.h5ad"], geometry="900x640+-1200+30", theme="dark", choices={"seed": 3})
    save(settings, file)
    assert load(file) == (settings, "")
    assert [path.name for path in file.parent.iterdir()] == ["desktop.json"]
    file.write_text(json.dumps({"unknown": 1}))
    assert load(file) == (Settings(), "")


def test_geometry_accepts_negative_positions() -> None:
    match = GEOMETRY.fullmatch("900x640+-1200+30")
    assert match is not None
    assert [int(part) for part in match.groups()] == [900, 640, -1200, 30]
