"""The shape of a net's loss: its curvature, its kind of place, its surface along a plane, and ways down it."""

from thalweg.diagnosis.landscape._along import Along as Along
from thalweg.diagnosis.landscape._along import curvature_along as curvature_along
from thalweg.diagnosis.landscape._critical_point import CriticalPoint as CriticalPoint
from thalweg.diagnosis.landscape._critical_point import Curvature as Curvature
from thalweg.diagnosis.landscape._critical_point import critical_point as critical_point
from thalweg.diagnosis.landscape._curvature import Estimate as Estimate
from thalweg.diagnosis.landscape._hessian import Density as Density
from thalweg.diagnosis.landscape._hessian import Hessian as Hessian
from thalweg.diagnosis.landscape._hessian import hessian as hessian
from thalweg.diagnosis.landscape._interpolation import Interpolation as Interpolation
from thalweg.diagnosis.landscape._interpolation import interpolate as interpolate
from thalweg.diagnosis.landscape._race import Race as Race
from thalweg.diagnosis.landscape._race import race as race
from thalweg.diagnosis.landscape._sharpness import Sharpness as Sharpness
from thalweg.diagnosis.landscape._sharpness import sharpness as sharpness
from thalweg.diagnosis.landscape._surface import LossSurface as LossSurface
from thalweg.diagnosis.landscape._surface import loss_surface as loss_surface
from thalweg.diagnosis.landscape._trajectory import Trajectory as Trajectory
