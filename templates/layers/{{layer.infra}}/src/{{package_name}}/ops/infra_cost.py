"""What an environment will cost in a month, estimated, and whether the subscription has room for its nodes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import OpsError
from .files import read_mapping
from .infra_values import Values

_SIZE = re.compile(
    r"Standard_(?P<series>[A-Z]+)(?P<cores>\d+)(?:-\d+)?(?P<features>[a-z]*)(?P<rest>(?:_[A-Za-z0-9]+)*)"
)


@dataclass(frozen=True)
class Cost:
    """What one thing costs in a month, in the currency of infra/prices.yml."""

    what: str
    amount: float


@dataclass(frozen=True)
class Quota:
    """The processor cores of a family of sizes that a subscription may use in a region, and those in use."""

    family: str
    used: int
    limit: int


class Prices:
    """What things cost: `infra/prices.yml`."""

    def __init__(self, path: Path) -> None:
        """Read the file."""
        self._path, self._values = path, read_mapping(path)

    def of(self, name: str, values: Mapping[str, object] | None = None) -> float:
        """One price.

        Raises:
            OpsError: The file lacks it.
        """
        value = (self._values if values is None else values).get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise OpsError(f"{self._path} holds no price of {name}.", "Add it: Azure's pricing page tells it.")
        return float(value)

    def node(self, size: str) -> float:
        """The price of one node for an hour."""
        sizes = self._values.get("node_hour")
        return self.of(size, sizes if isinstance(sizes, dict) else {})


def estimate(values: Values, prices: Prices) -> list[Cost]:
    """What an environment will cost in a month: what always costs, and what its use adds."""
    closed = not values.controls["service_public_access"]
    logs = values.estimate["log_gigabytes"]
    firewall = values.controls["managed_network"] == "allow_only_approved_outbound"
    own_keys = bool(values.controls["customer_managed_keys"])
    watched = bool(values.controls["security_monitoring"])
    size = _parsed(str(values.settings["compute_vm_size"])).group()
    found = {
        f"nodes of {size}": values.estimate["node_hours"] * prices.node(size),
        "logs": logs * prices.of("log_gigabyte"),
        "storage": values.estimate["storage_gigabytes"] * prices.of("storage_gigabyte"),
        "container registry": prices.of("registry_month"),
        "private endpoints": prices.of("private_endpoint_month") * (9 if closed else 0),
        "firewall of the managed network": prices.of("firewall_month") if firewall else 0.0,
        "keys of one's own": prices.of("key_month") if own_keys else 0.0,
        "security monitoring": logs * prices.of("security_gigabyte") if watched else 0.0,
    }
    return [Cost(what, amount) for what, amount in found.items() if amount]


def cores(size: str) -> int:
    """The processor cores that one node takes from the quota.

    Raises:
        OpsError: It is no size of Azure's.
    """
    return int(_parsed(size)["cores"])


def family(size: str) -> str:
    """The quota's name of a size's family, in small letters: Standard_D4s_v5 is of standarddsv5family."""
    found = _parsed(size)
    return f"standard{found['series']}{found['features']}{found['rest'].replace('_', '')}family".lower()


def read_quotas(answer: object) -> list[Quota]:
    """The quotas that `az vm list-usage` tells."""
    found = []
    for entry in answer if isinstance(answer, Sequence) else ():
        name = entry["name"]["value"]
        found.append(Quota(str(name).lower(), int(entry["currentValue"]), int(entry["limit"])))
    return found


def lacking(values: Values, quotas: Sequence[Quota]) -> str | None:
    """What the subscription lacks for the environment's nodes, as a sentence."""
    size = str(values.settings["compute_vm_size"])
    needed = cores(size) * int(values.number("compute_max_nodes"))
    for quota in quotas:
        if quota.family == family(size) and quota.limit - quota.used < needed:
            free = quota.limit - quota.used
            return (
                f"The nodes need {needed} cores of {size} in {values.location}, and {free} of {quota.limit} are free: "
                "ask for more quota, or take fewer or other nodes."
            )
    return None


def _parsed(size: str) -> re.Match[str]:
    found = _SIZE.fullmatch(size)
    if found is None:
        raise OpsError(
            f"compute_vm_size is {size!r}, which is no size of Azure's.", "Take one such as Standard_D4s_v5."
        )
    return found
