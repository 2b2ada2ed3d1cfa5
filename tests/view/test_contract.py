"""Python and the viewer accept the same views: both read `views.json` (see `js/src/state/save/contract.test.ts`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from karospace_jupyter.errors import ConfigError
from karospace_jupyter.view.saved_view import read_view
from karospace_jupyter.view.state import from_wire

VECTORS = json.loads(Path(__file__).with_name("views.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS["states"], ids=lambda vector: vector["reason"])
def test_state_is_accepted_or_its_field_is_named(vector: dict[str, Any]) -> None:
    if vector["invalid"] is None:
        from_wire(vector["state"])
        return
    with pytest.raises(ValidationError) as caught:
        from_wire(vector["state"])
    assert caught.value.errors()[0]["loc"][0] == vector["invalid"]


@pytest.mark.parametrize("vector", VECTORS["views"], ids=lambda vector: vector["reason"])
def test_saved_view_is_accepted_or_its_field_is_named(vector: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "view.json"
    path.write_text(json.dumps(vector["view"]), encoding="utf-8")
    if vector["invalid"] is None:
        assert read_view(path) == vector["view"]
        return
    with pytest.raises(ConfigError, match=vector["invalid"]):
        read_view(path)
