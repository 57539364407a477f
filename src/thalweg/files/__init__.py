"""(Description, arrays) <-> files: .keras, .h5, .weights.h5, ONNX, checkpoints. Knows no Model.

Whatever is written is there whole or not at all, and carries SHA-256 digests; whatever is read is looked
over first, and runs no code.
"""

from thalweg.files._atomic import remove_parts as remove_parts
from thalweg.files._atomic import whole_file as whole_file
from thalweg.files._atomic import write_whole as write_whole
from thalweg.files._checkpoint import read_checkpoint as read_checkpoint
from thalweg.files._checkpoint import write_checkpoint as write_checkpoint
from thalweg.files._error import FileError as FileError
from thalweg.files._error import refuse as refuse
from thalweg.files._formats import Archive as Archive
from thalweg.files._formats import Content as Content
from thalweg.files._formats import ModelFile as ModelFile
from thalweg.files._formats import ending as ending
from thalweg.files._formats import open_model as open_model
from thalweg.files._formats import write as write
from thalweg.files._json import parse as parse
from thalweg.files._lock import Lock as Lock
from thalweg.files._lock import Locked as Locked
from thalweg.files._lock import is_held as is_held
from thalweg.files._lock import owner_of as owner_of
from thalweg.files._onnx import to_onnx as to_onnx
from thalweg.files._optimizer import filled as filled
from thalweg.files._optimizer import layout as layout
from thalweg.files._optimizer import values as values
from thalweg.files._parts import Part as Part
from thalweg.files._parts import Spec as Spec
from thalweg.files._parts import leaves as leaves
