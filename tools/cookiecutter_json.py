"""Write `cookiecutter.json` from the questionnaire: python tools/cookiecutter_json.py."""

from pathlib import Path

from mlops_new.catalog import load_catalog
from mlops_new.cookiecutter_door import cookiecutter_json
from mlops_new.engine import Renderer

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Render the defaults and write the file."""
    text = cookiecutter_json(load_catalog(ROOT), Renderer(ROOT, "catalog", "0").defaults())
    (ROOT / "cookiecutter.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
