"""A run as a page to read, to print and to hand on: what was trained, how it went, what it gets wrong, and why."""

from thalweg.reports._gather import gather as gather
from thalweg.reports._html import html as html
from thalweg.reports._markdown import markdown as markdown
from thalweg.reports._report import Report as Report
from thalweg.reports._write import report as report
