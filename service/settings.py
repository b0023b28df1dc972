"""Settings: where does a service listen, what is it called, and where does it keep its things?

Every flag `--some-name` of a role is also the variable `FACET_<ROLE>_SOME_NAME`. A mapping of such variables is the
only form in which settings travel: flags are laid over the environment (`service.cli.serve_command`), and each worker
process reads the result again. Nothing here reads the real environment by itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ssi.errors import Malformed, Refused


@dataclass(frozen=True)
class Option:
    """One setting: the flag's name without dashes in front, what it means, and its default as text.

    `default` None means "worked out from the others"; `help` says how. `flag` options take no value on the command
    line ("true" or "false" in the environment). Secrets are never options: settings name the file that holds one.
    """

    name: str
    help: str
    default: str | None = None
    flag: bool = False

    def variable(self, role: str) -> str:
        """The environment variable of this option.

        >>> Option("base-url", "").variable("issuer")
        'FACET_ISSUER_BASE_URL'
        """
        return f"FACET_{role}_{self.name}".upper().replace("-", "_")


PORTS: Final[Mapping[str, int]] = {"issuer": 8441, "wallet": 8442, "verifier": 8443}
"""The port of each role when none is given. The roles' names are this mapping's keys."""

COMMON: Final[tuple[Option, ...]] = (
    Option("host", "Address to listen on.", "127.0.0.1"),
    Option("port", "Port to listen on. Default: 8441 issuer, 8442 wallet, 8443 verifier."),
    Option("base-url", "Address by which people and peers reach this service. Default: https://localhost:<port>."),
    Option("data", "Directory that `facet-issuer bootstrap` filled, and in which this role keeps its files.", "var"),
    Option("database-url", "SQLAlchemy URL of the store. Default: SQLite at <data>/<role>/<role>.db."),
    Option("tls-cert", "Certificate chain to serve with, PEM. Default: <data>/<role>/tls.pem."),
    Option("tls-key", "Private key of that certificate, PEM. Default: <data>/<role>/tls.key."),
    Option("ca-file", "Extra CA certificates to trust when calling peers, PEM. Default: <data>/trust/tls-ca.pem."),
    Option("allow-loopback", "Let this service call peers on loopback addresses (a trial on one machine).", flag=True),
    Option("plain-http", "Serve without TLS; only on a loopback address, behind a proxy that does TLS.", flag=True),
    Option(
        "profile", "`open` to deal with every peer, `haip` to keep to OpenID4VC HAIP 1.0 and refuse the rest.", "open"
    ),
    Option("workers", "Processes that serve requests.", "1"),
    Option("threads", "Threads in each process.", "16"),
)


@dataclass(frozen=True)
class ServiceSettings:
    """How one role runs as a service; a role's own settings class holds one of these beside its own fields.

    `base_url` has no trailing slash. `folder` (`<data>/<role>`) is where the role's own files stand.
    """

    role: str
    host: str
    port: int
    base_url: str
    database_url: str
    tls_cert: Path
    tls_key: Path
    ca_file: Path | None
    allow_loopback: bool
    plain_http: bool
    data: Path
    workers: int
    threads: int
    haip: bool = False

    @property
    def folder(self) -> Path:
        """The role's own directory."""
        return self.data / self.role

    @property
    def secure(self) -> bool:
        """Do people reach this service over TLS (by itself, or by the proxy before it)?"""
        return self.base_url.startswith("https://")

    @property
    def origin(self) -> str:
        """Scheme, host and port of `base_url`, as browsers write it in the Origin header: without a usual port."""
        parts = urlsplit(self.base_url)
        usual = {"https": ":443", "http": ":80"}[parts.scheme]
        return f"{parts.scheme}://{parts.netloc.removesuffix(usual)}".lower()

    def cookie(self, name: str = "") -> str:
        """A cookie's full name: `__Host-` over TLS, and told apart from other roles on the same host.

        Cookies do not know ports, and the three roles of a trial share one host name.
        """
        plain = f"facet-{self.role}-{name}".rstrip("-")
        return f"__Host-{plain}" if self.secure else plain


def read(role: str, values: Mapping[str, str]) -> ServiceSettings:
    """Settings of a role from a mapping of `FACET_<ROLE>_*` variables (other names in it are ignored).

    Raises Malformed (`settings.*`) for an unreadable value and Refused (`settings.plain_http`) for an unsafe one.
    """
    source = Source(role, values, COMMON)
    data = Path(source.text("data"))
    port = source.number("port", default=PORTS[role], low=1, high=65535)
    host, plain_http = source.text("host"), source.flag("plain-http")
    if plain_http and not is_loopback(host):
        raise Refused("settings.plain_http", "--plain-http is only for a loopback --host such as 127.0.0.1.")
    scheme = "http" if plain_http else "https"
    ca_file = source.path("ca-file", default=data / "trust" / "tls-ca.pem")
    return ServiceSettings(
        role=role,
        host=host,
        port=port,
        base_url=_base_url(source.text("base-url", default=f"{scheme}://localhost:{port}")),
        database_url=source.text("database-url", default=f"sqlite:///{(data / role / f'{role}.db').absolute()}"),
        tls_cert=source.path("tls-cert", default=data / role / "tls.pem"),
        tls_key=source.path("tls-key", default=data / role / "tls.key"),
        ca_file=ca_file if source.given("ca-file") or ca_file.exists() else None,
        allow_loopback=source.flag("allow-loopback"),
        plain_http=plain_http,
        data=data,
        workers=source.number("workers", low=1, high=256),
        threads=source.number("threads", low=1, high=512),
        haip=source.choice("profile", ("open", "haip")) == "haip",
    )


@dataclass(frozen=True)
class Source:
    """Reads one role's options out of a mapping of variables; role settings use it for their own options."""

    role: str
    values: Mapping[str, str]
    options: tuple[Option, ...]

    def given(self, name: str) -> bool:
        """Was this option given a value (an empty one counts as none)?"""
        return bool(self.values.get(self._option(name).variable(self.role), "").strip())

    def text(self, name: str, *, default: str | None = None) -> str:
        """The value as text, else `default`, else the option's own. Raises Malformed when there is none at all."""
        option = self._option(name)
        value = self.values.get(option.variable(self.role), "").strip() or default or option.default
        if value is None:
            raise self._wrong(option, "is missing")
        return value

    def path(self, name: str, *, default: Path | None = None) -> Path:
        """The value as a path."""
        return Path(self.text(name, default=None if default is None else str(default)))

    def number(self, name: str, *, default: int | None = None, low: int, high: int) -> int:
        """The value as a whole number from `low` to `high`. Raises Malformed (`settings.<name>`)."""
        value = self.text(name, default=None if default is None else str(default))
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise self._wrong(self._option(name), f"must be a whole number from {low} to {high}")
        return int(value)

    def choice(self, name: str, words: Sequence[str]) -> str:
        """The value as one of a few words. Raises Malformed (`settings.<name>`) for any other."""
        value = self.text(name)
        if value not in words:
            raise self._wrong(self._option(name), f"must be one of: {', '.join(words)}")
        return value

    def flag(self, name: str) -> bool:
        """The value as yes or no; absent means no. Raises Malformed (`settings.<name>`) for any other word."""
        option = self._option(name)
        value = self.values.get(option.variable(self.role), "").strip().lower()
        if value not in {"", "0", "1", "true", "false", "yes", "no"}:
            raise self._wrong(option, "must be true or false")
        return value in {"1", "true", "yes"}

    def _option(self, name: str) -> Option:
        return next(option for option in self.options if option.name == name)

    def _wrong(self, option: Option, what: str) -> Malformed:
        code = f"settings.{option.name.replace('-', '_')}"
        return Malformed(code, f"--{option.name} (or {option.variable(self.role)}) {what}.")


def is_loopback(host: str) -> bool:
    """Is this listening address reachable from this machine only?

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _base_url(text: str) -> str:
    """A base URL without its trailing slash; anything but scheme, host, port and path is refused."""
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or parts.username is not None or any(c.isspace() for c in text):
        raise Malformed("settings.base_url", "--base-url must look like https://name.example or https://name:8443.")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Malformed("settings.base_url", "--base-url must begin with https:// unless it names this machine.")
    return text.rstrip("/")
