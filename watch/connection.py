"""From a workspace's settings to the service that it pulls from."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.errors import CredentialsError, ImageError
from imagery.sentinelhub.deployment import deployment_for
from imagery.sentinelhub.patience import Pace
from imagery.sentinelhub.products import product_for
from imagery.sentinelhub.provider import SentinelHub
from imagery.sentinelhub.service import Service
from watch.budget import SPEND_FILE, Allowance, SpendJournal
from watch.credentials import credentials_paths, find_credentials
from watch.settings import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from imagery.sentinelhub.credentials import Credentials
    from imagery.sentinelhub.deployment import Deployment
    from imagery.sentinelhub.exchange import Limits
    from imagery.sentinelhub.patience import Patience
    from watch.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Connection:
    """A service, its account, and what is pulled through them."""

    hub: SentinelHub
    service: Service
    journal: SpendJournal


@contextmanager
def connected(
    workspace: Workspace,
    environment: Mapping[str, str],
    *,
    product: str | None = None,
    given: Credentials | None = None,
    patience: Patience | None = None,
    limits: Limits | None = None,
) -> Iterator[Connection]:
    """Yield the service that a workspace's settings name; nothing is sent before it is asked.

    Args:
        workspace: Its settings, archive and spend journal.
        environment: The process's variables.
        product: What is pulled, with its usual bands; None for product and bands of the settings.
        given: Credentials that go before those of environment and files.
        patience: When to ask again.
        limits: Time and size of one exchange.

    Raises:
        CredentialsError: There are none.
        ImageError: The settings name no deployment or product.
        LedgerError: The spend journal is damaged.
    """
    credentials = find_credentials(workspace.root, environment, given=given)
    deployment = deployment_of(workspace)
    if credentials is None:
        file = credentials_paths(workspace.root, environment)[0]
        raise CredentialsError(
            f"there are no credentials for {deployment.title}",
            hint=f"Set SITEWATCH_SH_CLIENT_ID and SITEWATCH_SH_CLIENT_SECRET, or write {file}",
        )
    journal = open_journal(workspace)
    wanted, budget = workspace.settings.pull, workspace.settings.budget
    pace = Pace(budget.requests_per_minute, budget.processing_units_per_minute)
    service = Service(deployment, credentials, meter=journal, patience=patience, limits=limits, pace=pace)
    is_set = product in {None, wanted.product}
    # Bands in the settings are those of the product in the settings: another has other bands.
    bands = wanted.bands or None if is_set else None
    with closing(service):
        hub = SentinelHub(service, workspace.archive(), product_for(product or wanted.product), bands=bands)
        yield Connection(hub, service, journal)


def deployment_of(workspace: Workspace) -> Deployment:
    """Return the deployment that the settings name.

    Raises:
        ImageError: There is none of that name, or its addresses can't be.
    """
    wanted = workspace.settings.pull
    try:
        return deployment_for(wanted.deployment, base_url=wanted.base_url, token_url=wanted.token_url)
    except ImageError as error:
        raise error.located(file=str(workspace.root / SETTINGS_FILE), feature="[pull]") from None


def open_journal(workspace: Workspace) -> SpendJournal:
    """Return the account of a workspace with its limit.

    Raises:
        LedgerError: The journal is damaged.
    """
    budget = workspace.settings.budget
    allowance = Allowance(budget.requests_per_month or None, budget.processing_units_per_month or None)
    return SpendJournal(workspace.root / SPEND_FILE, allowance)
