"""Take pictures of the viewer, and count the colors of images."""

from __future__ import annotations

from typing import Any

import numpy as np


def colors_in(picture: Any) -> int:
    """Return the number of distinct colors of an image of shape (..., 3), 100 times faster than `np.unique(axis=0)`."""
    red, green, blue = np.moveaxis(np.asarray(picture).astype(np.uint32), -1, 0)
    return len(np.unique(red << 16 | green << 8 | blue))


PICTURE = """async (options) => {
  const bytes = new Uint8Array(await (await window.karospace.picture(options)).arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}"""
"""JavaScript that returns a picture of the viewer as base64."""
