from __future__ import annotations

import pytest

from imagery.errors import CredentialsError, ImageError
from imagery.sentinelhub.credentials import Credentials
from imagery.sentinelhub.deployment import Deployment, deployment_for, deployments

TOKEN = "https://hub.example/token"  # noqa: S105 - an address


def test_the_named_deployments_are_those_of_the_documentation() -> None:
    assert deployment_for("copernicus").base_url == "https://sh.dataspace.copernicus.eu"
    assert deployment_for("commercial").base_url == "https://services.sentinel-hub.com"
    assert all(each.base_url.startswith("https://") for each in deployments().values())


@pytest.mark.parametrize(
    ("name", "base_url", "message"),
    [
        ("cdse", "", "no deployment is called 'cdse'.*copernicus, commercial, custom"),
        ("custom", "", "needs both its addresses"),
        ("copernicus", "https://elsewhere.example", "has its own addresses"),
    ],
)
def test_a_wrong_name_or_address_is_refused(name: str, base_url: str, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        deployment_for(name, base_url=base_url)


@pytest.mark.parametrize(
    "address",
    [
        "http://hub.example",
        "http://127.0.0.1.example",
        "ftp://hub.example",
        "hub.example",
        "https://user:password@hub.example",
        "https://hub.example?x=1",
        "https://",
    ],
)
def test_an_address_that_would_show_the_secret_is_refused(address: str) -> None:
    with pytest.raises(ImageError) as caught:
        deployment_for("custom", base_url=address, token_url=TOKEN)
    assert "base_url" in str(caught.value)


def test_this_machine_may_be_spoken_to_in_clear() -> None:
    base, token = "http://127.0.0.1:8000", "http://localhost:8000/t"
    local = deployment_for("custom", base_url=f"{base}/", token_url=token)
    assert local == Deployment("custom", "127.0.0.1:8000", base, token)


def test_a_secret_does_not_show_itself() -> None:
    credentials = Credentials("sh-1234-5678-abcd", "canary-secret", "environment (SH_CLIENT_ID)")
    for text in (repr(credentials), str(credentials), f"{credentials}"):
        assert "canary" not in text
    assert str(credentials) == "sh-1... from environment (SH_CLIENT_ID)"


@pytest.mark.parametrize("secret", ["", "two words", "line\n", "\x1b[2J"])
def test_what_can_be_no_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(CredentialsError, match="client_secret from argument") as caught:
        Credentials("id", secret)
    assert not secret or secret not in str(caught.value)
