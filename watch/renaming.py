"""What a site's new id takes over from its former ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagery.pins import adopt_pins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.archive import Archive
    from sites.model import Site
    from watch.ledger import Ledger


def adopt_former(sites: Sequence[Site], archive: Archive, ledger: Ledger) -> None:
    """Hand looks and lattices of renamed sites on to their present ids; again is harmless.

    A catalogue is edited by hand as well as by command, so every run calls it.
    """
    renamed = [(former, site.id) for site in sites for former in site.former_ids if former != site.id]
    if not renamed:
        return
    for former, present in renamed:
        adopt_pins(archive, former, present)
    with ledger.transaction() as transaction:
        for former, present in renamed:
            transaction.rename_site(former, present)
