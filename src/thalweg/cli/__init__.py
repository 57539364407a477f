"""The command line: ``thalweg train ...``. Nothing heavy is imported before a command runs."""

from thalweg.cli._main import main as main
from thalweg.cli._rows_of import rows_of as rows_of
