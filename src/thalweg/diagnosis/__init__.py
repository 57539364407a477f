"""What holds a net back, and what to do about it."""

from thalweg.diagnosis._diagnose import diagnose as diagnose
from thalweg.diagnosis._diagnosis import Diagnosis as Diagnosis
from thalweg.diagnosis._doctor import Doctor as Doctor
from thalweg.diagnosis._finding import Finding as Finding
from thalweg.diagnosis._learning_curve import LearningCurve as LearningCurve
from thalweg.diagnosis._learning_curve import learning_curve as learning_curve
from thalweg.diagnosis._power_law import PowerLaw as PowerLaw
from thalweg.diagnosis._power_law import PowerLawFit as PowerLawFit
from thalweg.diagnosis._power_law import Prediction as Prediction
from thalweg.diagnosis._power_law import fit_power_law as fit_power_law
from thalweg.diagnosis._remedies import Remedy as Remedy
from thalweg.diagnosis._scenario import Interval as Interval
from thalweg.diagnosis._scenario import Target as Target
from thalweg.diagnosis._validation_curve import Mean as Mean
from thalweg.diagnosis._validation_curve import ValidationCurve as ValidationCurve
from thalweg.diagnosis._validation_curve import validation_curve as validation_curve
from thalweg.diagnosis.coaching import Coaching as Coaching
from thalweg.diagnosis.coaching import coach as coach
