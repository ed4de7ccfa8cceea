"""Gives a tracking server on sqlite the model versions of a workspace; runs in the project's own environment.

Reads JSON: the server's address, the model's name, and each version's number, folder and tags. It imports nothing of
the kit, because the project's environment does not hold it.
"""

import json
import logging
import sys


def main() -> None:
    """Add the versions that are missing, and set the tags of all."""
    logging.disable(logging.WARNING)
    from mlflow import MlflowClient  # noqa: PLC0415 - in the project's environment alone

    given = json.load(sys.stdin)
    client = MlflowClient(tracking_uri=given["uri"], registry_uri=given["uri"])
    name = given["model"]
    known = {int(version.version): version for version in client.search_model_versions(f"name='{name}'")}
    wanted = {int(version["number"]): version for version in given["versions"]}
    if wanted and not known:
        client.create_registered_model(name)
    for number in range(len(known) + 1, max(wanted, default=0) + 1):
        # The server counts by itself: a number that the workspace lacks gets a version without a role.
        client.create_model_version(name, wanted.get(number, {}).get("path", "/nonexistent"))
    for number, version in wanted.items():
        have = dict(known[number].tags) if number in known else {}
        for key, value in version["tags"].items():
            if have.get(key) != value:
                client.set_model_version_tag(name, str(number), key, value)


if __name__ == "__main__":
    main()
