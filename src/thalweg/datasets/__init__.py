"""Data sets: digits that come with the package, MNIST, and files."""

from thalweg.datasets import mnist as mnist
from thalweg.datasets._load import NAMES as NAMES
from thalweg.datasets._load import DataSet as DataSet
from thalweg.datasets._load import digits as digits
from thalweg.datasets._load import digits8 as digits8
from thalweg.datasets._load import load as load
