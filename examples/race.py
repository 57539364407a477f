"""The course's optimizers side by side: gradient descent, momentum, Nesterov, RMSprop and Adam, with and without decay.

First on classic landscapes of two numbers, then on the loss of a real net: on the plane in which most of its training lay.
"""

import thalweg
from thalweg import diagnosis, layers

for name in ("ravine", "saddle", "plateau", "rosenbrock", "beale"):
    found = diagnosis.race(surface=name)
    print(f"{found}\n")
    found.plot(f"race_{name}.png")
diagnosis.race(surface="ravine").animate("race.gif")

digits = thalweg.datasets.load("digits")
x, y = digits.x[:1000].reshape(-1, 784) / 255.0, digits.y[:1000]
model = thalweg.Sequential([thalweg.Input((784,)), layers.Dense(32, "relu"), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=10, seed=0, verbose=0, callbacks=[way := diagnosis.Trajectory("10 steps")])

surface = diagnosis.loss_surface(model, x, y, "trajectory", size=41, span=2.0, path=way)
print(f"{surface}\n")
surface.plot("race_surface.png")
found = diagnosis.race(surface=surface)
print(found)
found.plot("race_net.png")
print("The pictures are in race_*.png, and a moving one in race.gif.")
