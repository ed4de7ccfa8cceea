"""After cookiecutter made an empty folder: render the project into it, as `mlops-new project` does."""

import json
import sys
from pathlib import Path

from mlops_new.cookiecutter_door import render_into

answers = json.loads(r"""{{ cookiecutter | tojson }}""")
sys.exit(render_into(Path.cwd(), answers))
