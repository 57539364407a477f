"""What a person holds: Sequential, the functional Model, Population."""

from thalweg.models._model import Model as Model
from thalweg.models._population import Population as Population
from thalweg.models._sequential import Sequential as Sequential
