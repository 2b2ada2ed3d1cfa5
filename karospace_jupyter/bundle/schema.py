"""Generate the JSON Schema of the manifest: ``python -m karospace_jupyter.bundle.schema`` writes it to this folder."""

from __future__ import annotations

import json
from pathlib import Path

from karospace_jupyter.bundle.manifest import SCHEMA_VERSION, Manifest

SCHEMA_PATH = Path(__file__).with_name("manifest.schema.json")


def schema_text() -> str:
    """Return the text of ``manifest.schema.json``."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"karospace-manifest-{SCHEMA_VERSION}",
        **Manifest.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
