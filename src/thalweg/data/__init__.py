"""Data: arrays, frames and sources of batches, looked over before they are trained on."""

from thalweg.data._adapt import adapt as adapt
from thalweg.data._checks import check_labels as check_labels
from thalweg.data._checks import check_rows as check_rows
from thalweg.data._checks import only_class as only_class
from thalweg.data._fingerprint import fingerprint as fingerprint
from thalweg.data._order import capacity as capacity
from thalweg.data._order import order as order
from thalweg.data._place import place as place
from thalweg.data._rows import DataError as DataError
from thalweg.data._rows import DataWarning as DataWarning
from thalweg.data._rows import Rows as Rows
from thalweg.data._splits import Leak as Leak
from thalweg.data._splits import class_weights_to_rows as class_weights_to_rows
from thalweg.data._splits import classes_of as classes_of
from thalweg.data._splits import leak as leak
from thalweg.data._splits import mix_is_far as mix_is_far
from thalweg.data._splits import validation_split as validation_split
from thalweg.data._stream import PyDataset as PyDataset
from thalweg.data._stream import Sequence as Sequence
from thalweg.data._stream import Stream as Stream
from thalweg.data._stream import peek as peek
from thalweg.data._stream import prefetch as prefetch
from thalweg.data.tables import Recipe as Recipe
from thalweg.data.tables import Table as Table
from thalweg.data.tables import read as read
from thalweg.data.tables import read_recipe as read_recipe
