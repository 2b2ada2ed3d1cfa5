"""The limits of web hosts, defined only here. The table in the documentation is generated from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

HostName = Literal["github-pages", "gitlab-pages", "cloudflare-pages", "cloudflare-r2", "s3", "netlify", "hugging-face"]


@dataclass(frozen=True, slots=True)
class Host:
    """A web host and its limits; None means no limit."""

    label: str
    """Name for messages."""
    source: str
    """The page of the host that states the limits."""
    checked: str
    """When the limits were last compared with the source, as `YYYY-MM`."""
    max_file_bytes: int | None = None
    max_files: int | None = None
    """Number of files of a site."""
    max_folder_files: int | None = None
    """Number of files in one folder."""
    max_bytes: int | None = None
    """Size of a site."""
    note: str = ""
    """Which plan or kind of repository the limits are for."""


HOSTS: dict[HostName, Host] = {
    "github-pages": Host(
        "GitHub Pages",
        "https://docs.github.com/en/pages/getting-started-with-github-pages/github-pages-limits",
        "2026-11",
        max_file_bytes=100 * 2**20,
        max_bytes=10**9,
        note="GitHub rejects larger files in any repository; a soft limit of 100 GB of traffic per month",
    ),
    "gitlab-pages": Host(
        "GitLab Pages",
        "https://docs.gitlab.com/user/gitlab_com/#gitlab-pages",
        "2026-11",
        max_files=200_000,
        max_bytes=10**9,
        note="on GitLab.com; other servers set their own limits",
    ),
    "cloudflare-pages": Host(
        "Cloudflare Pages",
        "https://developers.cloudflare.com/pages/platform/limits/",
        "2026-11",
        max_file_bytes=25 * 2**20,
        max_files=20_000,
        note="free plan; paid plans allow 100,000 files",
    ),
    "cloudflare-r2": Host(
        "Cloudflare R2",
        "https://developers.cloudflare.com/r2/platform/limits/",
        "2026-11",
        max_file_bytes=5 * 10**9,
        note="for an upload in one part",
    ),
    "s3": Host(
        "S3",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html",
        "2026-11",
        max_file_bytes=5 * 10**9,
        note="for an upload in one part",
    ),
    "netlify": Host(
        "Netlify",
        "https://docs.netlify.com/site-deploys/overview",
        "2026-11",
        max_folder_files=54_000,
    ),
    "hugging-face": Host(
        "Hugging Face",
        "https://huggingface.co/docs/hub/storage-limits",
        "2026-11",
        max_file_bytes=20 * 10**9,
        max_files=100_000,
        max_folder_files=10_000,
        note="recommended for each repository, such as a static Space",
    ),
}

assert set(HOSTS) == set(get_args(HostName))  # noqa: S101 - mypy cannot check that none is missing


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of each limit of a host a site uses."""

    files: int
    bytes: int
    largest: tuple[str, int]
    """Path and size of the largest file; the path describes it if the file is not yet written."""
    fullest: tuple[str, int]
    """The folder with the most files, and their number."""

    @classmethod
    def of(cls, sizes: dict[str, int]) -> Usage:
        """Measure files, given their sizes by path."""
        folders: dict[str, int] = {}
        for path in sizes:
            folder = path.rpartition("/")[0]
            folders[folder] = folders.get(folder, 0) + 1
        largest = max(sizes.items(), key=lambda item: item[1], default=("", 0))
        fullest = max(folders.items(), key=lambda item: item[1], default=("", 0))
        return cls(len(sizes), sum(sizes.values()), largest, fullest)
