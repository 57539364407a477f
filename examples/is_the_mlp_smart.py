"""The course's last question: is the MLP smart, and is it the best we can do for images?

The net of the course, 784-128-128-10 with 118,282 parameters, against a convolutional net with half as many. Both learn from
the same digits, and are asked the same: the full MNIST where THALWEG_DATA names a folder that has it, else the 12,000 digits
that come with the package.
"""

import os

import thalweg
from thalweg import diagnosis, layers

digits = thalweg.datasets.load("mnist" if "THALWEG_DATA" in os.environ else "digits")
train, test = (digits.x / 255.0, digits.y), (digits.x_test / 255.0, digits.y_test)

mlp = thalweg.Sequential(
    [
        thalweg.Input((784,)),
        layers.Dense(128, activation="relu"),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ],
    name="MLP",
)
cnn = thalweg.Sequential(
    [
        thalweg.Input((28, 28, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ],
    name="CNN",
)
for model in (mlp, cnn):
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

found = diagnosis.compare([mlp, cnn], test, train, epochs=5, retrain=True)
print(f"{found}\n")
print(found["MLP"].probe)
found.plot("is_the_mlp_smart.png")
found["MLP"].probe.plot("is_the_mlp_smart_mlp.png")
found["CNN"].probe.plot("is_the_mlp_smart_cnn.png")
print("\nThe pictures are in is_the_mlp_smart*.png.")
