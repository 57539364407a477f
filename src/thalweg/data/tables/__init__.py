"""Tables: files and frames with names for their columns, and the recipe that makes them into what a net reads."""

from thalweg.data.tables._goal import Classes as Classes
from thalweg.data.tables._goal import Goal as Goal
from thalweg.data.tables._kinds import Column as Column
from thalweg.data.tables._recipe import Encoded as Encoded
from thalweg.data.tables._recipe import Recipe as Recipe
from thalweg.data.tables._recipe import numeric_recipe as numeric_recipe
from thalweg.data.tables._recipe import read_recipe as read_recipe
from thalweg.data.tables._source import READERS as READERS
from thalweg.data.tables._source import ending_of as ending_of
from thalweg.data.tables._source import frames_of as frames_of
from thalweg.data.tables._splits import split_rows as split_rows
from thalweg.data.tables._table import Table as Table
from thalweg.data.tables._table import read as read
