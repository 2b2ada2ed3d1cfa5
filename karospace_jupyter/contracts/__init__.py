"""Contracts that are generated from the models, for editors and for TypeScript.

``python -m karospace_jupyter.contracts`` writes them; ``npm run contract`` in ``js/`` then writes the TypeScript types.
"""
