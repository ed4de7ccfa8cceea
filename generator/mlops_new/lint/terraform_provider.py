"""A stand-in for the azurerm provider that knows its schema and nothing else.

Terraform starts it as `python -m mlops_new.lint.terraform_provider` and speaks plugin protocol 6 with it, so that the
real `validate`, `plan` and `test` run with no network and no account. A plan keeps what is configured and leaves
computed values unknown; an apply fills them with made-up ones. The environment variable `MLOPS_NEW_TERRAFORM_SCHEMA`
names a file in the form of one entry of `terraform providers schema -json`.
"""

import base64
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from pathlib import Path
from typing import Any, Final

import grpc
import msgpack
from tf.gen import grpc_controller_pb2 as controller_pb
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import grpc_stdio_pb2_grpc as stdio_rpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc
from tf.runner import _self_signed_cert

SCHEMA_VARIABLE: Final = "MLOPS_NEW_TERRAFORM_SCHEMA"
_UNKNOWN: Final = msgpack.ExtType(0, b"\x00")
_NESTING = {
    "single": pb.Schema.NestedBlock.SINGLE,
    "list": pb.Schema.NestedBlock.LIST,
    "set": pb.Schema.NestedBlock.SET,
}

Block = Mapping[str, Any]
Made = Callable[[str, Any], Any]


def schema_block(block: Block) -> Any:
    """A block of the schema as the protocol carries it."""
    attributes = [
        pb.Schema.Attribute(
            name=name,
            type=json.dumps(attribute["type"]).encode(),
            required=attribute.get("required", False),
            optional=attribute.get("optional", False),
            computed=attribute.get("computed", False),
        )
        for name, attribute in sorted(block.get("attributes", {}).items())
    ]
    nested = [
        pb.Schema.NestedBlock(
            type_name=name,
            block=schema_block(inner["block"]),
            nesting=_NESTING[inner["nesting_mode"]],
            min_items=inner.get("min_items", 0),
            max_items=inner.get("max_items", 0),
        )
        for name, inner in sorted(block.get("block_types", {}).items())
    ]
    return pb.Schema.Block(attributes=attributes, block_types=nested)


def made_unknown(_name: str, _kind: Any) -> Any:
    """What a plan knows of a computed value."""
    return _UNKNOWN


def made_up(type_name: str) -> Made:
    """What an apply gives for computed values of a type of resource."""

    def value(name: str, kind: Any) -> Any:
        if isinstance(kind, list):
            return {} if kind[0] == "map" else []
        simple = {"string": f"made-up-{name}", "number": 0, "bool": False}
        return f"/made-up/{type_name}" if name == "id" else simple.get(kind)

    return value


def completed(block: Block, value: Any, made: Made) -> Any:
    """A value with each computed attribute that is not set, or not known, made."""
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for name, attribute in block.get("attributes", {}).items():
        is_missing = found.get(name) is None and attribute.get("computed")
        if is_missing or (isinstance(found.get(name), msgpack.ExtType) and made is not made_unknown):
            found[name] = made(name, attribute["type"])
    for name, inner in block.get("block_types", {}).items():
        held = found.get(name)
        if isinstance(held, list):
            found[name] = [completed(inner["block"], item, made) for item in held]
        elif isinstance(held, dict):
            found[name] = completed(inner["block"], held, made)
    return found


def read_only(block: Block, value: Any, path: str = "") -> Iterator[str]:
    """The attributes that are set although the service alone decides them."""
    if not isinstance(value, dict):
        return
    for name, attribute in block.get("attributes", {}).items():
        decided = attribute.get("computed") and not attribute.get("optional")
        if decided and value.get(name) is not None:
            yield f"{path}{name}"
    for name, inner in block.get("block_types", {}).items():
        held = value.get(name)
        for item in held if isinstance(held, list) else [held]:
            yield from read_only(inner["block"], item, f"{path}{name}.")


def absent(block: Block, value: Any, path: str = "") -> Iterator[str]:
    """The required attributes that are null; one that is left out is seen by Terraform itself."""
    if not isinstance(value, dict):
        return
    for name, attribute in block.get("attributes", {}).items():
        if attribute.get("required") and name in value and value[name] is None:
            yield f"{path}{name}"
    for name, inner in block.get("block_types", {}).items():
        held = value.get(name)
        for item in held if isinstance(held, list) else [held]:
            yield from absent(inner["block"], item, f"{path}{name}.")


def _fault(name: str, summary: str, detail: str) -> Any:
    """A diagnostic at the attribute, or at the outermost one that it stands in."""
    step = pb.AttributePath.Step(attribute_name=name.split(".", maxsplit=1)[0])
    return pb.Diagnostic(
        severity=pb.Diagnostic.ERROR,
        summary=summary,
        detail=f'"{name}" {detail}',
        attribute=pb.AttributePath(steps=[step]),
    )


def _decoded(value: Any) -> Any:
    return msgpack.unpackb(value.msgpack, strict_map_key=False) if value.msgpack else None


def _encoded(value: Any) -> Any:
    return pb.DynamicValue(msgpack=msgpack.packb(value))


class Provider(rpc.ProviderServicer):  # type: ignore[misc] # generated code has no types
    """Answers Terraform from a schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Keep the schema."""
        self._provider: Block = schema["provider"]
        self._resources: Mapping[str, Block] = schema["resource_schemas"]
        self._data: Mapping[str, Block] = schema["data_source_schemas"]

    def GetMetadata(self, _request: Any, _context: Any) -> Any:
        """The names of everything."""
        return pb.GetMetadata.Response(
            server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=False),
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in self._resources],
            data_sources=[pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self._data],
        )

    def GetProviderSchema(self, _request: Any, _context: Any) -> Any:
        """The whole schema."""
        return pb.GetProviderSchema.Response(
            provider=pb.Schema(version=0, block=schema_block(self._provider)),
            resource_schemas={n: pb.Schema(version=0, block=schema_block(b)) for n, b in self._resources.items()},
            data_source_schemas={n: pb.Schema(version=0, block=schema_block(b)) for n, b in self._data.items()},
        )

    def ValidateProviderConfig(self, _request: Any, _context: Any) -> Any:
        """Terraform itself has compared the settings with the schema."""
        return pb.ValidateProviderConfig.Response()

    def ValidateDataResourceConfig(self, _request: Any, _context: Any) -> Any:
        """Terraform itself has compared the settings with the schema."""
        return pb.ValidateDataResourceConfig.Response()

    def ValidateResourceConfig(self, request: Any, _context: Any) -> Any:
        """Refuse a value for what the service decides, and none for what it needs."""
        block, value = self._resources[request.type_name], _decoded(request.config)
        faults = [
            *(
                _fault(name, "Value for unconfigurable attribute", "is decided by the service: remove it.")
                for name in read_only(block, value)
            ),
            *(
                _fault(name, "Missing required argument", "is required, and null: give it a value.")
                for name in absent(block, value)
            ),
        ]
        return pb.ValidateResourceConfig.Response(diagnostics=faults)

    def ConfigureProvider(self, _request: Any, _context: Any) -> Any:
        """There is nothing to sign in to."""
        return pb.ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, _context: Any) -> Any:
        """A state is as it was written."""
        return pb.UpgradeResourceState.Response(upgraded_state=_encoded(json.loads(request.raw_state.json)))

    def ReadResource(self, request: Any, _context: Any) -> Any:
        """Nothing changes by itself."""
        return pb.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request: Any, _context: Any) -> Any:
        """What is configured, with unknown values for what the service decides."""
        value = _decoded(request.proposed_new_state)
        if _decoded(request.prior_state) is None:
            value = completed(self._resources[request.type_name], value, made_unknown)
        return pb.PlanResourceChange.Response(planned_state=_encoded(value))

    def ApplyResourceChange(self, request: Any, _context: Any) -> Any:
        """What was planned, with made-up values for what the service decides."""
        block = self._resources[request.type_name]
        value = completed(block, _decoded(request.planned_state), made_up(request.type_name))
        return pb.ApplyResourceChange.Response(new_state=_encoded(value))

    def ReadDataSource(self, request: Any, _context: Any) -> Any:
        """Made-up values for everything that is asked."""
        block = self._data[request.type_name]
        return pb.ReadDataSource.Response(
            state=_encoded(completed(block, _decoded(request.config), made_up(request.type_name)))
        )

    def StopProvider(self, _request: Any, _context: Any) -> Any:
        """Nothing runs that could be stopped."""
        return pb.StopProvider.Response()


class _Controller(controller_rpc.GRPCControllerServicer):  # type: ignore[misc] # generated code has no types
    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped

    def Shutdown(self, _request: Any, _context: Any) -> Any:
        self._stopped.set()
        return controller_pb.Empty()


class _Output(stdio_rpc.GRPCStdioServicer):  # type: ignore[misc] # generated code has no types
    def StreamStdio(self, _request: Any, _context: Any) -> Iterator[Any]:
        return iter(())


def main() -> int:
    """Serve until Terraform says that it is done, or is gone."""
    schema = json.loads(Path(os.environ[SCHEMA_VARIABLE]).read_text(encoding="utf-8"))
    no_limit = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    server, stopped = grpc.server(futures.ThreadPoolExecutor(4), options=no_limit), threading.Event()
    rpc.add_ProviderServicer_to_server(Provider(schema), server)
    controller_rpc.add_GRPCControllerServicer_to_server(_Controller(stopped), server)
    stdio_rpc.add_GRPCStdioServicer_to_server(_Output(), server)
    certificate, credentials = _self_signed_cert()
    with tempfile.TemporaryDirectory(prefix="mlops-new-terraform-") as folder:
        socket = f"{folder}/socket"
        server.add_secure_port(f"unix://{socket}", credentials)
        server.start()
        encoded = base64.b64encode(certificate).decode().rstrip("=")
        sys.stdout.write(f"1|6|unix|{socket}|grpc|{encoded}\n")
        sys.stdout.flush()
        parent = os.getppid()
        while not stopped.wait(1) and os.getppid() == parent:
            pass
        server.stop(None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
