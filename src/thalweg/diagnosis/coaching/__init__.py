"""The coach: start simple, diagnose, try what the table says, keep what helps."""

from thalweg.diagnosis.coaching._coach import Coaching as Coaching
from thalweg.diagnosis.coaching._coach import coach as coach
from thalweg.diagnosis.coaching._code import NOT_THE_SAME as NOT_THE_SAME
from thalweg.diagnosis.coaching._code import code_of as code_of
from thalweg.diagnosis.coaching._code import layers_of as layers_of
from thalweg.diagnosis.coaching._code import training_of as training_of
from thalweg.diagnosis.coaching._plan import Plan as Plan
from thalweg.diagnosis.coaching._plan import Purpose as Purpose
