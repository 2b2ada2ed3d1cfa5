"""Find the Chromium for the tests, and define its command-line flags."""

from __future__ import annotations

import os
import shutil

BASE_FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The last flag of this name wins, so this list repeats the features that Playwright disables, and adds the omnibox
    # pages, which take a third of the time needed to open a viewer.
    "--disable-features="
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "TcpPortRandomizationWin,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
]
# Use the software GPU for WebGL only: compositing whole pages with it takes three times as long. The page then waits
# for each of its WebGL frames, unlike with a real GPU, so the benchmarks do not use this flag.
FLAGS = [*BASE_FLAGS, "--disable-gpu-compositing"]


def find_chromiums() -> list[str]:
    """Return the paths of all Chromiums, the preferred one first."""
    named = os.environ.get("KAROSPACE_CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return [path for path in map(shutil.which, names) if path]


def find_chromium() -> str | None:
    return next(iter(find_chromiums()), None)


def find_headless_chromium() -> str | None:
    """Return the path of the Chromium without a user interface, if it is installed: tests of the viewer run faster."""
    if os.environ.get("KAROSPACE_CHROMIUM"):
        return find_chromium()
    return shutil.which("chromium-headless-shell") or find_chromium()
