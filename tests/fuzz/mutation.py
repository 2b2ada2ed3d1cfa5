"""Damage bytes and JSON values, reproducibly with a seed."""

from __future__ import annotations

import copy
import random
from typing import Any

ODD_NUMBERS = (0, -1, 1, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, -(2**63), 1e308, -1e-308, 0.5)
ODD: tuple[Any, ...] = (
    None, True, False, "", "x", "../../x", "/etc/passwd", "a\0b", "\ud800", "é" * 300, "1e999", "NaN", [], {}, [[]], [None],
    {"a": None}, *ODD_NUMBERS,
)  # fmt: skip
_MAX_CHANGES = 6


def of_bytes(data: bytes, rng: random.Random) -> bytes:
    """Flip, delete, zero, duplicate or overwrite bytes at a few positions."""
    damaged = bytearray(data)
    for _ in range(rng.randint(1, _MAX_CHANGES)):
        size = len(damaged)
        if size == 0:
            break
        at, length = rng.randrange(size), min(size, int(2 ** rng.uniform(0, 12)))
        how = rng.randrange(7)
        if how == 0:
            damaged[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            damaged[at] = rng.randrange(256)
        elif how == 2:
            damaged[at : at + length] = bytes(min(length, size - at))
        elif how == 3:
            damaged[at : at + length] = rng.randbytes(min(length, size - at))
        elif how == 4:
            del damaged[at : size if rng.random() < 0.3 else at + length]
        elif how == 5:
            source = rng.randrange(size)
            damaged[at : at + length] = damaged[source : source + min(length, size - at)]
        else:
            number = int(rng.choice([n for n in ODD_NUMBERS if isinstance(n, int)])) % 2**64
            width = rng.choice([1, 2, 4, 8])
            damaged[at : at + width] = (number % 256**width).to_bytes(width, "little")
    return bytes(damaged)


def of_json(value: Any, rng: random.Random) -> Any:
    """Replace, delete or duplicate a few values."""
    whole = [copy.deepcopy(value)]
    for _ in range(rng.randint(1, _MAX_CHANGES)):
        locations = list(_locations(whole))
        holder, key = rng.choice(locations)
        how = rng.randrange(5)
        if how == 0:
            del holder[key]
            if not whole:
                whole = [None]
        elif how == 1 and isinstance(holder, list):
            holder.extend(copy.deepcopy(holder[key]) for _ in range(rng.choice([1, 2, 50])))
        elif how == 2:
            source, at = rng.choice(locations)
            taken = (
                source[at]
                if (isinstance(source, dict) and at in source) or (isinstance(source, list) and at < len(source))
                else None
            )
            if len(list(_locations([taken]))) < 2000:
                holder[key] = copy.deepcopy(taken)
        elif how == 3 and isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            holder[key] = holder[key] + rng.choice([-1, 1, 0.5, 1000])
        else:
            holder[key] = copy.deepcopy(rng.choice(ODD))
    return whole[0]


def _locations(value: Any) -> Any:
    """Yield every (container, key) in the value."""
    waiting = [value]
    while waiting:
        container = waiting.pop()
        for key, inner in list(container.items() if isinstance(container, dict) else enumerate(container)):
            yield container, key
            if isinstance(inner, dict | list):
                waiting.append(inner)
