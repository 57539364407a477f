"""One epoch in scikit-learn: MLPClassifier, one `partial_fit` an epoch.

A `fit` with warm_start starts Adam anew; `partial_fit` on all rows is exactly one shuffled epoch
that keeps it. The L2 term is off, as on every side. It counts no accuracy.
"""

from __future__ import annotations

import numpy as np
from _side import BETA_1, BETA_2, EPSILON, LEARNING_RATE, SIZES, arguments, load, report, timed
from sklearn.neural_network import MLPClassifier


def main() -> None:
    """Train and report."""
    options = arguments(__doc__).parse_args()
    x, y = load(options.data)
    model = MLPClassifier(
        hidden_layer_sizes=SIZES[1:-1],
        solver="adam",
        alpha=0.0,
        batch_size=options.batch_size,
        learning_rate_init=LEARNING_RATE,
        beta_1=BETA_1,
        beta_2=BETA_2,
        epsilon=EPSILON,
        shuffle=True,
        random_state=0,
    )
    classes = np.arange(SIZES[-1])

    def epoch() -> float:
        model.partial_fit(x, y, classes=classes)
        return float(model.loss_)

    seconds, loss = timed(epoch, options.epochs)
    report("scikit-learn", seconds, loss, ("scikit-learn", "numpy", "scipy"))


if __name__ == "__main__":
    main()
