"""The files generated from the models are up to date, and match what the models accept."""

from __future__ import annotations

import inspect
import json
from typing import get_type_hints

import jsonschema
import pytest

from karospace_jupyter import ExportConfig, adata_to_karospace, karospace_view, karospace_widget
from karospace_jupyter.contracts import generate
from karospace_jupyter.contracts.options import ExportOptions
from karospace_jupyter.form.options import plain


def test_generated_files_are_current() -> None:
    for name, text in generate.generated().items():
        stored = (generate.FOLDER / name).read_text(encoding="utf-8")
        assert stored == text, f"{name}: run python -m karospace_jupyter.contracts, then npm run contract in js"


def test_keyword_arguments_match_the_options_model() -> None:
    names = set(ExportOptions.__annotations__)
    assert names | {"h5ad_path", "outdir"} == set(ExportConfig.model_fields)
    hints = get_type_hints(ExportOptions)
    for name, field in ExportConfig.model_fields.items():
        if name in names:
            assert (type(None) in getattr(hints[name], "__args__", ())) == (field.default is None), name


@pytest.mark.parametrize("function", [adata_to_karospace, karospace_view, karospace_widget])
def test_entry_points_have_typed_options(function) -> None:
    assert inspect.signature(function).parameters["options"].annotation == "Unpack[ExportOptions]"


def test_form_options_match_their_schema() -> None:
    schema = json.loads(generate.options_schema())
    jsonschema.validate(plain(ExportConfig()), schema)
    full = ExportConfig(
        annotation_columns=["a"], embeddings=["X_umap"], genes_mode=["A", "B"], view="v.json", downsample=3
    )
    jsonschema.validate(plain(full), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**plain(full), "nothing": 1}, schema)
