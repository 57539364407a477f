"""Backpropagation, looked at; and whether gradients that somebody wrote are right."""

from thalweg.diagnosis.chain_rule._backprop import Backprop as Backprop
from thalweg.diagnosis.chain_rule._backprop import backprop as backprop
from thalweg.diagnosis.chain_rule._check_gradients import check_gradients as check_gradients
from thalweg.diagnosis.chain_rule._gradient_check import CheckedGradient as CheckedGradient
from thalweg.diagnosis.chain_rule._gradient_check import GradientCheck as GradientCheck
from thalweg.diagnosis.chain_rule._layer_pass import LayerPass as LayerPass
from thalweg.diagnosis.chain_rule._pulls import Pair as Pair
from thalweg.diagnosis.chain_rule._pulls import Pulls as Pulls
from thalweg.diagnosis.chain_rule._wishes import Wishes as Wishes
from thalweg.diagnosis.chain_rule._wishes import WishTable as WishTable
