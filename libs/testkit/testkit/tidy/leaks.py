"""What must not be committed: places of one machine or one network, and secrets."""

import re

from testkit.tidy.checkout import Checkout

HOSTS_KNOWN = {
    "127.0.0.1",
    "localhost",
    "asyncapi.com",
    "asyncapi.org",
    "json-schema.org",
    "kafka.apache.org",
    "apache.org",
    "www.w3.org",
    "httpwg.org",
    "github.com",
    "docs.pytest.org",
    "bford.info",
    "example",
    "example.com",
    "payment",
}
"""Hosts a URL may name: standards, public sources, names reserved for examples, and a service under test."""

_URL = re.compile(r"\bhttps?://(?:[^\s/@\"']*@)?([A-Za-z0-9.-]+)")
_INDEX = re.compile(r"--(extra-)?index-url|--find[-]links|--trusted[-]host|^\s*index-url\s*=", re.MULTILINE)
_PLACE = re.compile(r"(?<![\w.}*/])/(home|root|Users|work|tmp|mnt|srv)/[\w.]")
_SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+]*://[^\s/:@{\"']+:(?!hunter2@)[^\s/:@{\"']+@"),  # Everybody knows that one.
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}"),
    "an access key": re.compile(r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[abp]-[\w-]{10,})"),
}


def unknown_hosts(checkout: Checkout) -> list[str]:
    """Every host in a URL is one that the whole world can look up; package indexes are a matter of whoever installs."""
    found = []
    for path in checkout.files:
        text = checkout.read(path)
        hosts = {host.lower().rstrip(".") for host in _URL.findall(text)}
        found += [f"{path}: names the host {host}" for host in sorted(hosts) if not _is_known(host)]
        if _INDEX.search(text) and path != "scripts/setup.sh":  # That script passes on what pip was told.
            found.append(f"{path}: names a package index")
    return found


def places(checkout: Checkout) -> list[str]:
    """No path of somebody's machine."""
    return [
        f"{path}:{number}: a path of one machine"
        for path in checkout.files
        for number, line in enumerate(checkout.read(path).splitlines(), start=1)
        if _PLACE.search(line)
    ]


def secrets(checkout: Checkout) -> list[str]:
    """Nothing that opens a door, not even one of a test: tests make theirs."""
    return [
        f"{path}: contains {what}" for path in checkout.files for what, pattern in _SECRETS.items() if pattern.search(checkout.read(path))
    ]


def _is_known(host: str) -> bool:
    return any(host == known or host.endswith(f".{known}") for known in HOSTS_KNOWN)
