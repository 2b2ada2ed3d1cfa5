"""Tests of the public names: they exist and are imported lazily."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from waiting import PATIENCE_S

PACKAGES = ["karospace_jupyter", "karospace_export"]


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_the_package_imports_no_heavy_dependencies(package):
    code = f"import sys, {package}; print([m for m in ('anndata', 'numpy', 'pydantic', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_exists(package):
    module = importlib.import_module(package)
    assert dir(module) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name


def test_both_packages_export_the_same_objects():
    karospace_export, karospace_jupyter = (importlib.import_module(p) for p in reversed(PACKAGES))
    for name in karospace_export.__all__:
        assert getattr(karospace_export, name) is getattr(karospace_jupyter, name)


def test_every_error_is_public_and_derives_from_the_base_class():
    import karospace_jupyter
    from karospace_jupyter import errors

    classes = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
    assert set(classes) <= set(karospace_jupyter.__all__)
    assert all(issubclass(value, karospace_jupyter.KaroSpaceError) for value in classes.values())


def test_bundle_is_displayed_without_an_earlier_import_of_ipywidgets(tmp_path):
    from karospace_jupyter import adata_to_karospace
    from karospace_jupyter.datasets import synthetic_tissue

    adata_to_karospace(synthetic_tissue(60, 10), tmp_path / "viewer", genes_mode=())
    code = (
        "import sys; from karospace_jupyter import Bundle; bundle = Bundle('viewer'); print('ipywidgets' in sys.modules);"
        "print('text/html' in bundle._repr_mimebundle_()[0])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S, cwd=tmp_path)
    assert done.stdout.split() == ["False", "True"]
