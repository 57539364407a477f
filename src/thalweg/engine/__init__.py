"""The compiled epoch. Knows no callback, no file, no screen."""

from thalweg.engine._chunks import chunk_end as chunk_end
from thalweg.engine._chunks import run_chunk as run_chunk
from thalweg.engine._feed import ArrayFeed as ArrayFeed
from thalweg.engine._feed import Feed as Feed
from thalweg.engine._feed import Slab as Slab
from thalweg.engine._feed import StreamFeed as StreamFeed
from thalweg.engine._objective import Objective as Objective
from thalweg.engine._padding import pad as pad
from thalweg.engine._padding import positions as positions
from thalweg.engine._padding import units_of as units_of
from thalweg.engine._padding import unpad as unpad
from thalweg.engine._population import padded_count as padded_count
from thalweg.engine._population import share_out as share_out
from thalweg.engine._population import stack as stack
from thalweg.engine._population import use_host_devices as use_host_devices
from thalweg.engine._population import ways as ways
from thalweg.engine._program import Program as Program
from thalweg.engine._program import compiled as compiled
from thalweg.engine._program import program as program
from thalweg.engine._state import Data as Data
from thalweg.engine._state import Order as Order
from thalweg.engine._state import Totals as Totals
from thalweg.engine._state import TrainState as TrainState
from thalweg.engine._task import Task as Task
from thalweg.engine._watch import Watch as Watch
