"""Is the net smart? What it does with noise, with moved, turned and attacked pictures; nets side by side."""

from thalweg.diagnosis.probing._adversarial import Adversarial as Adversarial
from thalweg.diagnosis.probing._adversarial import AttackedPicture as AttackedPicture
from thalweg.diagnosis.probing._calibration import Calibration as Calibration
from thalweg.diagnosis.probing._compare import Comparison as Comparison
from thalweg.diagnosis.probing._compare import Contender as Contender
from thalweg.diagnosis.probing._compare import compare as compare
from thalweg.diagnosis.probing._confidence import Confidence as Confidence
from thalweg.diagnosis.probing._favourites import Favourites as Favourites
from thalweg.diagnosis.probing._filters import Filters as Filters
from thalweg.diagnosis.probing._multiply_adds import multiply_adds as multiply_adds
from thalweg.diagnosis.probing._neighbours import Mistake as Mistake
from thalweg.diagnosis.probing._neighbours import NearestRows as NearestRows
from thalweg.diagnosis.probing._neighbours import Neighbours as Neighbours
from thalweg.diagnosis.probing._probe import Probe as Probe
from thalweg.diagnosis.probing._probe import probe as probe
from thalweg.diagnosis.probing._records import Response as Response
from thalweg.diagnosis.probing._shuffling import Shuffling as Shuffling
