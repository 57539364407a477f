"""From layers to a structure: the graph, its shapes, and the layout of its weights."""

from thalweg.network._network import Awake as Awake
from thalweg.network._network import Forward as Forward
from thalweg.network._network import Network as Network
from thalweg.network._network import Node as Node
from thalweg.network._network import Place as Place
from thalweg.network._network import Used as Used
from thalweg.network._network import chain_of as chain_of
from thalweg.network._network import mask_along as mask_along
from thalweg.network._network import size_of as size_of
from thalweg.network._trace import in_order as in_order
from thalweg.network._trace import network_of as network_of
