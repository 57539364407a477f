"""What a person holds: Sequential, the functional Model, Population; and models from files."""

from thalweg.files import FileError as FileError
from thalweg.models._chained import EMBEDDING as EMBEDDING
from thalweg.models._chained import PERIODIC as PERIODIC
from thalweg.models._chained import chained as chained
from thalweg.models._chained import table_front as table_front
from thalweg.models._files import FileWarning as FileWarning
from thalweg.models._files import load_model as load_model
from thalweg.models._files import model_from_json as model_from_json
from thalweg.models._files import save_model as save_model
from thalweg.models._goals import GOALS as GOALS
from thalweg.models._goals import Goal as Goal
from thalweg.models._goals import array_front as array_front
from thalweg.models._goals import goal_of as goal_of
from thalweg.models._goals import picture_of as picture_of
from thalweg.models._memory import OutOfMemory as OutOfMemory
from thalweg.models._model import Model as Model
from thalweg.models._not_finite import LossNotFinite as LossNotFinite
from thalweg.models._not_finite import LossWarning as LossWarning
from thalweg.models._population import Population as Population
from thalweg.models._sequential import Sequential as Sequential
