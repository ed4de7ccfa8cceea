"""The kit's stand-in for azurerm, which gives each resource the id that Azure gives it: references can be followed."""

from pathlib import Path
from typing import Any

import yaml
from bicep_functions import SUBSCRIPTION
from mlops_new.lint import terraform_provider as kit

MAP = yaml.safe_load(Path(__file__).with_name("infrastructure_map.yml").read_text(encoding="utf-8"))
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{resource_group_name}}/providers"


class AzureProvider(kit.Provider):
    """An apply gives ids and identities; what else Azure decides stays empty."""

    def ApplyResourceChange(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol names it
        value = kit._decoded(request.planned_state)
        pattern = MAP["resources"][request.type_name]["id"].replace("{group}", GROUP)
        identity = pattern.format_map({"subscription": SUBSCRIPTION} | value)
        decided = {
            "id": identity,
            "principal_id": f"principal of {identity}",
            "client_id": f"client of {identity}",
            "role_definition_resource_id": f"custom {value.get('name')}",
        }
        made = kit.completed(self._resources[request.type_name], value, lambda name, _: decided.get(name))
        return kit.pb.ApplyResourceChange.Response(new_state=kit._encoded(made))


if __name__ == "__main__":
    kit.Provider = AzureProvider  # type: ignore[misc] # the kit's server serves it
    raise SystemExit(kit.main())
