"""Searches over hyperparameters whose trials train side by side; KerasTuner's names and meanings hold."""

from thalweg.tuner._hyper_mlp import HyperMLP as HyperMLP
from thalweg.tuner._hypermodel import HyperModel as HyperModel
from thalweg.tuner._hyperparameters import HyperParameters as HyperParameters
from thalweg.tuner._loop import SearchFailed as SearchFailed
from thalweg.tuner._objective import Objective as Objective
from thalweg.tuner._parameters import Boolean as Boolean
from thalweg.tuner._parameters import Choice as Choice
from thalweg.tuner._parameters import Fixed as Fixed
from thalweg.tuner._parameters import Float as Float
from thalweg.tuner._parameters import Int as Int
from thalweg.tuner._study import holds_study as holds_study
from thalweg.tuner._study import read_study as read_study
from thalweg.tuner._summary import ranked as ranked
from thalweg.tuner._trial import Trial as Trial
from thalweg.tuner._tuner import Tuner as Tuner
from thalweg.tuner._tuners import BOHB as BOHB
from thalweg.tuner._tuners import BayesianOptimization as BayesianOptimization
from thalweg.tuner._tuners import GridSearch as GridSearch
from thalweg.tuner._tuners import Hyperband as Hyperband
from thalweg.tuner._tuners import PopulationBasedTraining as PopulationBasedTraining
from thalweg.tuner._tuners import RandomSearch as RandomSearch
