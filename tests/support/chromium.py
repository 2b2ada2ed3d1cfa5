"""The browser of the tests, and how it is started."""

from __future__ import annotations

import os
import shutil

BROWSER = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Of several such flags the last one counts: those that Playwright gives itself are here once more. What is added
    # are the pages behind the field for addresses, which take a third of the time that it takes to open a viewer.
    "--disable-features="
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "TcpPortRandomizationWin,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
]
# Only what is WebGL is drawn by a graphics card that is a program: whole pages would take three times as long. But the
# page then waits for each of its drawings, as on no one's desk: benchmarks do without.
FLAGS = [*BROWSER, "--disable-gpu-compositing"]


def find_chromium() -> str | None:
    named = os.environ.get("KAROSPACE_CHROMIUM")
    for name in [named] if named else ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]:
        found = shutil.which(name)
        if found:
            return found
    return None
