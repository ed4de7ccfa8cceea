"""What Azure's resource manager takes: the shape of each type's body, read from the models of Azure's own SDK.

The models are of one version of the API, which need not be the one that a file names; they are the newest that Azure
publishes for Python.
"""

import enum
import importlib
import inspect
import re
import sys
import typing
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from mlops_new.errors import MissingExtraError

_ML: Final = "azure.ai.ml._restclient.arm_ml_service.models"
_MODELS: Final[Mapping[str, tuple[str, str]]] = {
    "Microsoft.Authorization/roleAssignments": (
        "azure.mgmt.authorization.v2022_04_01.models",
        "RoleAssignmentCreateParameters",
    ),
    "Microsoft.Authorization/roleDefinitions": ("azure.mgmt.authorization.v2022_04_01.models", "RoleDefinition"),
    "Microsoft.Consumption/budgets": ("azure.mgmt.consumption.models", "Budget"),
    "Microsoft.ContainerRegistry/registries": ("azure.mgmt.containerregistry.models", "Registry"),
    "Microsoft.EventGrid/systemTopics": ("azure.mgmt.eventgrid.models", "SystemTopic"),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": ("azure.mgmt.eventgrid.models", "EventSubscription"),
    "Microsoft.Insights/actionGroups": ("azure.mgmt.monitor.models", "ActionGroupResource"),
    "Microsoft.Insights/components": (
        "azure.mgmt.applicationinsights.v2020_02_02.models",
        "ApplicationInsightsComponent",
    ),
    "Microsoft.Insights/metricAlerts": ("azure.mgmt.monitor.models", "MetricAlertResource"),
    "Microsoft.Insights/scheduledQueryRules": ("azure.mgmt.monitor.models", "ScheduledQueryRuleResource"),
    "Microsoft.Insights/workbooks": ("azure.mgmt.applicationinsights.v2023_06_01.models", "Workbook"),
    "Microsoft.KeyVault/vaults": ("azure.mgmt.keyvault.models", "VaultCreateOrUpdateParameters"),
    "Microsoft.MachineLearningServices/registries": (_ML, "Registry"),
    "Microsoft.MachineLearningServices/workspaces": (_ML, "Workspace"),
    "Microsoft.MachineLearningServices/workspaces/batchEndpoints": (_ML, "BatchEndpoint"),
    "Microsoft.MachineLearningServices/workspaces/computes": (_ML, "ComputeResource"),
    "Microsoft.MachineLearningServices/workspaces/datastores": (_ML, "Datastore"),
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints": (_ML, "OnlineEndpoint"),
    "Microsoft.MachineLearningServices/workspaces/outboundRules": (_ML, "OutboundRuleBasicResource"),
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("azure.mgmt.msi.v2024_11_30.models", "Identity"),
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": (
        "azure.mgmt.msi.v2024_11_30.models",
        "FederatedIdentityCredential",
    ),
    "Microsoft.Network/privateEndpoints": ("azure.mgmt.network.models", "PrivateEndpoint"),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": ("azure.mgmt.network.models", "PrivateDnsZoneGroup"),
    "Microsoft.OperationalInsights/workspaces": ("azure.mgmt.loganalytics.models", "Workspace"),
    "Microsoft.Resources/resourceGroups": ("azure.mgmt.resource.resources.models", "ResourceGroup"),
    "Microsoft.SecurityInsights/onboardingStates": ("azure.mgmt.securityinsight.models", "SentinelOnboardingState"),
    "Microsoft.Storage/storageAccounts": ("azure.mgmt.storage.models", "StorageAccountCreateParameters"),
    "Microsoft.Storage/storageAccounts/blobServices": ("azure.mgmt.storage.models", "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": ("azure.mgmt.storage.models", "BlobContainer"),
    "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies": (
        "azure.mgmt.storage.models",
        "ImmutabilityPolicy",
    ),
    "Microsoft.Storage/storageAccounts/managementPolicies": ("azure.mgmt.storage.models", "ManagementPolicy"),
}
KNOWN_TYPES: Final = {name.lower(): name for name in (*_MODELS, "Microsoft.Insights/diagnosticSettings")}
_KNOWN_VALUES = re.compile(r":ivar (\w+):(?:(?!:vartype).)*?Known values are:(.*?)(?=:vartype)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """What a property takes: `kind` is a plain type's name, `shape` the class of what stands in it."""

    is_required: bool = False
    is_read_only: bool = False
    values: frozenset[str] = frozenset()
    kind: str = ""
    shape: "Shape | type | None" = None
    is_list: bool = False
    is_map: bool = False


@dataclass(slots=True)
class Shape:
    """The properties of an object; `kinds` are the shapes that the property `discriminator` chooses between."""

    fields: dict[str, Field] = field(default_factory=dict)
    is_open: bool = False
    discriminator: str = ""
    kinds: dict[str, type] = field(default_factory=dict)


def body_shape(kind: str) -> Shape | None:
    """The shape of a type's body; None where no model is known.

    Raises:
        MissingExtraError: The package that holds the model is not installed.
    """
    name = KNOWN_TYPES.get(kind.lower(), "")
    if name == "Microsoft.Insights/diagnosticSettings":
        return _diagnostic_settings()
    if name not in _MODELS:
        return None
    module, model = _MODELS[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK's own, about what it uses itself
            return shape_of(getattr(importlib.import_module(module), model))
    except ImportError:
        raise MissingExtraError("check", "Checking Bicep") from None


def _diagnostic_settings() -> Shape:
    """No package for Python holds this one: how Azure's reference describes it."""
    flag, text = Field(kind="bool", is_required=True), Field(kind="str")
    log = Shape({"category": text, "categoryGroup": text, "enabled": flag, "retentionPolicy": Field()})
    metric = Shape({"category": text, "enabled": flag, "timeGrain": text, "retentionPolicy": Field()})
    names = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "eventHubName", "marketplacePartnerId")
    own = dict.fromkeys((*names, "serviceBusRuleId", "logAnalyticsDestinationType"), text)
    lists = {"logs": Field(shape=log, is_list=True), "metrics": Field(shape=metric, is_list=True)}
    return Shape({"properties": Field(shape=Shape({**own, **lists}))})


@cache
def shape_of(model: type) -> Shape:
    """The shape of a class of the SDK."""
    return _from_map(model) if hasattr(model, "_attribute_map") else _from_annotations(model)


def resolved(shape: Shape | type | None) -> Shape | None:
    """The shape itself, where a class stands for it."""
    return shape_of(shape) if isinstance(shape, type) else shape


def _from_map(model: Any) -> Shape:
    """A class of the older generation: a map of attributes to paths, with types as texts."""
    found, doc = Shape(), inspect.getdoc(model) or ""
    known = {name: frozenset(re.findall(r'"([^"]+)"', listed)) for name, listed in _KNOWN_VALUES.findall(doc)}
    package = sys.modules[model.__module__.rpartition(".")[0]]
    for name, entry in model._attribute_map.items():  # noqa: SLF001 - the SDK tells it nowhere else
        if name == "additional_properties":
            found.is_open = True
            continue
        rules = model._validation.get(name, {})  # noqa: SLF001 - as above
        kind, is_list, is_map = _unwrapped(entry["type"])
        target = getattr(package, kind, None)
        made = Field(
            bool(rules.get("required") and not rules.get("readonly")),
            bool(rules.get("readonly")),
            known.get(name, frozenset()),
            "" if is_list or is_map else kind,
            target if isinstance(target, type) else None,
            is_list,
            is_map,
        )
        *parents, last = [part.replace("\0", ".") for part in entry["key"].replace("\\.", "\0").split(".")]
        _nested(found, parents).fields[last] = made
    for name, kinds in getattr(model, "_subtype_map", {}).items():
        found.discriminator = model._attribute_map[name]["key"].replace("\\.", ".")  # noqa: SLF001 - as above
        found.kinds = {value: getattr(package, target) for value, target in kinds.items()}
    return found


def _nested(shape: Shape, parents: list[str]) -> Shape:
    for part in parents:
        held = shape.fields.get(part)
        if held is None or not isinstance(held.shape, Shape):
            shape.fields[part] = held = Field(shape=Shape())
        shape = typing.cast("Shape", held.shape)
    return shape


def _unwrapped(text: str) -> tuple[str, bool, bool]:
    if text.startswith("["):
        return text[1:-1], True, False
    return (text[1:-1], False, True) if text.startswith("{") else (text, False, False)


def _from_annotations(model: Any) -> Shape:
    """A class of the newer generation: descriptors with annotations."""
    found = Shape(kinds=dict(getattr(model, "__mapping__", {})))
    annotations: dict[str, Any] = {}
    for base in reversed(model.__mro__):
        annotations |= inspect.get_annotations(base)
    model.__new__(model)  # fills in what the class knows of its fields
    for name, entry in model._attr_to_rest_field.items():  # noqa: SLF001 - the SDK tells it nowhere else
        is_read_only = entry._visibility == ["read"]  # noqa: SLF001 - as above
        rest, own = entry._rest_name, _annotated(annotations.get(name), model)  # noqa: SLF001 - as above
        if entry._is_discriminator:  # noqa: SLF001 - as above
            found.discriminator = rest
        found.fields[rest] = Field(
            own.is_required and not is_read_only, is_read_only, own.values, own.kind, own.shape, own.is_list, own.is_map
        )
    return found


def _annotated(annotation: Any, model: type) -> Field:
    is_optional, values, shape, kind, is_list, is_map = False, frozenset[str](), None, "", False, False
    for part in _parts(annotation, model):
        if part is type(None):
            is_optional = True
        elif part in (list, dict):
            is_list, is_map = part is list, part is dict
        elif isinstance(part, type) and issubclass(part, enum.Enum):
            values = frozenset(str(item.value) for item in part)
        elif part in (str, int, bool, float):
            kind = part.__name__
        elif isinstance(part, type) and any(base.__name__ == "Model" for base in part.__mro__):
            shape = part
    return Field(
        is_required=not is_optional,
        values=values,
        kind="" if is_list or is_map else kind,
        shape=shape,
        is_list=is_list,
        is_map=is_map,
    )


def _parts(annotation: Any, model: type) -> Iterator[Any]:
    """The plain types that an annotation is made of."""
    module = sys.modules[model.__module__]
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        names = {**vars(typing), "_models": module, **vars(module)}
        names["_models"] = sys.modules[model.__module__.rpartition(".")[0]]
        try:
            annotation = eval(annotation, names)  # noqa: S307 - an annotation of an installed package
        except (NameError, AttributeError, TypeError):
            return
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        yield str
        return
    if origin in (list, dict):
        yield origin
    if origin is None:
        yield annotation
        return
    for part in typing.get_args(annotation):
        if origin is not dict or part is not str:
            yield from _parts(part, model)
