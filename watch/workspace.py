"""A workspace: the folder that holds settings, catalogue, archive, ledger and pages.

sitewatch.toml  catalogue/  reviews/  archive/  ledger.sqlite  public/
"""

from __future__ import annotations

import shutil
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from geo.durable import new_directory, sweep, write_text
from geo.errors import Where
from watch.errors import WorkspaceError
from watch.settings import SETTINGS_FILE, Settings, read_settings, settings_text
from watch.versions import require_readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from imagery.archive import Archive
    from sites.catalogue import Catalogue
    from watch.conduct import Conduct
    from watch.ledger import Ledger
    from watch.run import Progress
    from watch.run_report import RunReport

GITIGNORE = """\
# Secrets, locks and what can be made again; catalogue/ and reviews/ are what to keep.
credentials.toml
.sitewatch.lock
.notify.lock
*.part
run.log*
timer.log
health.json
ledger.sqlite-wal
ledger.sqlite-shm
ledger.rebuilt.sqlite*
upgrades/
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One analyst's or team's folder.

    >>> workspace = Workspace.open(".")                                    # doctest: +SKIP
    >>> report = workspace.run(sites=["sinuiju-customs"], now=...)         # doctest: +SKIP
    """

    root: Path
    settings: Settings

    @classmethod
    def open(cls, folder: str | Path = ".") -> Self:
        """Open the workspace in `folder` or in its nearest parent that holds a settings file.

        Raises:
            WorkspaceError: There is none, its settings can't be read, or a newer program made it.
        """
        root = workspace_root(folder)
        require_readable(root / SETTINGS_FILE)
        return cls(root, read_settings(root / SETTINGS_FILE))

    @classmethod
    def create(
        cls,
        folder: str | Path,
        *,
        title: str = "Sites watched from orbit",
        statement: str = "",
        builtin: bool = True,
    ) -> Self:
        """Make a workspace in a new or empty folder, with the built-in catalogue unless told not to.

        Raises:
            WorkspaceError: The folder is not empty, or is a file.
        """
        root = Path(folder).resolve()
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise WorkspaceError("not an empty folder", where=Where(file=str(folder)), hint="Name a new one")
        settings = settings_text(title, statement)
        if root.exists():
            _fill(root, settings, builtin=builtin)
        else:
            with new_directory(root) as staging:
                _fill(staging, settings, builtin=builtin)
        return cls(root, read_settings(root / SETTINGS_FILE))

    @property
    def catalogue_path(self) -> Path:
        """The folder of GeoJSON that analysts own."""
        return self.root / "catalogue"

    @property
    def archive_path(self) -> Path:
        """The folder of scenes: a STAC catalogue of GeoTIFFs."""
        return self.root / "archive"

    @property
    def ledger_path(self) -> Path:
        """The SQLite file of looks and detections."""
        return self.root / "ledger.sqlite"

    @property
    def reviews_path(self) -> Path:
        """The folder of analysts' decisions, a file for each."""
        return self.root / "reviews"

    @property
    def ledger_place(self) -> Path | str:
        """The file of the ledger, or the URL of a database; that may hold a password."""
        named = self.settings.ledger.url.get_secret_value()
        if not named.startswith("sqlite:///"):
            return named or self.ledger_path
        return self.root / named.removeprefix("sqlite:///")

    @property
    def public_path(self) -> Path:
        """The folder of pages."""
        return self.root / "public"

    def catalogue(self) -> Catalogue:
        """Read the catalogue as it stands."""
        from sites.catalogue import Catalogue  # noqa: PLC0415 - shapely is not needed to open a workspace

        return Catalogue.read(self.catalogue_path)

    def archive(self) -> Archive:
        """Return the archive of scenes."""
        from imagery.archive import Archive  # noqa: PLC0415 - rasterio is not needed to open a workspace

        return Archive(self.archive_path)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the ledger for the length of a block."""
        from watch.ledger import Ledger  # noqa: PLC0415 - sqlalchemy is not needed to open a workspace

        with closing(Ledger.open(self.ledger_place)) as ledger:
            yield ledger

    def run(
        self,
        sites: Sequence[str] = (),
        *,
        now: datetime | None = None,
        due_only: bool = False,
        assume_clear: bool | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
        conduct: Conduct | None = None,
    ) -> RunReport:
        """Look at every scene of the sites that has not been looked at; see `watch.run.run`."""
        from watch.conduct import AT_EASE  # noqa: PLC0415 - likewise
        from watch.run import run  # noqa: PLC0415 - the detectors are not needed to open a workspace

        return run(
            self,
            sites,
            now=now,
            due_only=due_only,
            assume_clear=assume_clear,
            dry_run=dry_run,
            progress=progress,
            conduct=conduct or AT_EASE,
        )

    def sweep(self) -> int:
        """Delete what interrupted writes left in the workspace; return how many things went."""
        return sweep(self.root)


def workspace_root(folder: str | Path = ".") -> Path:
    """Return `folder` or its nearest parent that holds a settings file.

    Raises:
        WorkspaceError: There is none.
    """
    start = Path(folder).resolve()
    for candidate in (start, *start.parents):
        if (candidate / SETTINGS_FILE).is_file():
            return candidate
    raise WorkspaceError(
        f"no {SETTINGS_FILE} here or in any parent folder",
        where=Where(file=str(folder)),
        hint="Make a workspace with: sitewatch init DIR",
    )


def _fill(root: Path, settings: str, *, builtin: bool) -> None:
    from sites.builtin import builtin_context_files, builtin_files  # noqa: PLC0415 - only a new workspace needs it

    for name in ("catalogue", "archive", "reviews", "public"):
        (root / name).mkdir()
    for file in (*builtin_files(), *builtin_context_files()) if builtin else ():
        shutil.copyfile(file, root / "catalogue" / file.name)
    write_text(root / ".gitignore", GITIGNORE)
    # Last, because it is what makes the folder a workspace.
    write_text(root / SETTINGS_FILE, settings)
