"""Before cookiecutter makes the folder: refuse early when the kit is not installed beside cookiecutter."""

import sys

try:
    import mlops_new  # noqa: F401
except ImportError:
    sys.exit("This catalog renders through mlops-new: install it beside cookiecutter, with `pip install mlops-new`.")
