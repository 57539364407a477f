"""Memory that runs out: one error that says how much was wanted and for how many rows; the model stays usable."""

import subprocess
import sys

LIMITED = """
import resource
import numpy as np
import thalweg
from thalweg import layers

x, y = np.random.default_rng(0).random((4096, 784), dtype=np.float32), np.arange(4096) % 10
model = thalweg.Sequential([thalweg.Input((784,)), layers.Dense(10), layers.Dense(20_000), layers.Dense(10)])
model.compile("adam", "mse")
y = thalweg.utils.to_categorical(y)
model.fit(x[:64], y[:64], verbose=0)
before = model.get_weights()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
try:
    model.fit(x, y, batch_size=4096, verbose=0)
except MemoryError as error:
    print(type(error).__name__, error)
print(all(np.array_equal(a, b) for a, b in zip(before, model.get_weights())))
model.fit(x[:64], y[:64], verbose=0)
print("went on")
"""


def test_a_batch_without_room_is_named_and_the_model_stays_whole():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", LIMITED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, whole, after = done.stdout.splitlines()
    assert said.startswith("OutOfMemory fit: memory ran out, a step of batch_size=4,096 rows has no room")
    assert "try batch_size=1,024" in said
    assert "bytes more were wanted" in said
    assert whole == "True"
    assert after == "went on"
