"""The commands and their options; what they do is imported when one is called."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import click

import thalweg


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(thalweg.__version__, prog_name="thalweg")
def main() -> None:
    """Train, tune, diagnose and explain deep neural nets."""


def _of_tables(command: Any) -> Any:
    """The options that say what a table's columns are."""
    options = (
        click.option("--target", default=None, help="Of a table: the column to predict, or several with commas."),
        click.option("--types", default=None, help="Of a table: what columns are, as zip=categorical,when=date."),
        click.option("--drop", default=None, help="Of a table: columns to leave out, with commas."),
        click.option("--task", default=None, help="Of a table: classification, regression or labels."),
        click.option("--group", default=None, help="Of a table: a column whose equal cells stay together in a split."),
        click.option("--time-column", default=None, help="Of a table: validate on the rows that are last by it."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@main.command(context_settings={"show_default": True})
@click.argument("data", default="digits")
@click.option("--layers", default="128,128", help="Widths of the hidden layers, separated by commas; '' for none.")
@click.option("--activation", default="relu", help="Of the hidden layers, by name.")
@click.option("--dropout", default=0.2, help="Probability with which a hidden unit is dropped.")
@click.option("--l2", default=1e-4, help="Factor of the squared weights in the loss.")
@click.option("--optimizer", default="adam", help="By name: adam, sgd, rmsprop, ...")
@click.option("--learning-rate", default=1e-3)
@click.option("--batch-size", default=32)
@click.option("--epochs", default=20)
@click.option("--validation", default=0.1, help="Fraction of the training rows to validate on.")
@click.option(
    "--test", default=0.1, help="Fraction of all rows to seal, where the data bring no test rows; 0 for none."
)
@click.option(
    "--class-weight", type=click.Choice(["balanced"]), default=None, help="balanced: rare classes weigh more."
)
@click.option("--seed", default=0, help="The same seed gives the same net on the same machine.")
@click.option("--diagnose/--no-diagnose", default=True, help="Whether to say at the end what holds the net back.")
@click.option("--checkpoint", default="epoch", help="How often a checkpoint is written: epoch, '5 min', '500 steps'.")
@click.option("--from", "study", default=None, help="A study of thalweg tune: train the net of its best trial.")
@click.option("--studio", is_flag=True, help="Show the fit on a local web page, with knobs; Ctrl-C ends the page.")
@_of_tables
@click.option("--out", default=None, help="Folder to write to.  [default: runs/DATA-DATE-TIME]", show_default=False)
def train(data: str, **asked: Any) -> None:
    """Train a net on DATA: digits, digits8, mnist, a .npz file, a table (.csv, .parquet, .jsonl, .npz)
    with --target, or a folder of pictures that has a folder for each class.

    A .npz file holds x_train and y_train (or x and y). Whole-number targets are classes, others are numbers to
    predict. Of a table, a line says what each column is taken for.

    A tenth of the rows is sealed before anything is learnt, or the rows in x_test and y_test where there are some:
    thalweg test opens them.
    """
    from thalweg.cli._train import train as run

    _told(lambda: run(data, asked))


@main.command(context_settings={"show_default": True})
@click.argument("data", default="digits")
@click.option("--search", default="hyperband", help="random, bayesian, tpe, cma-es, hyperband, bohb or pbt.")
@click.option("--trials", type=int, default=None, help="How many at most.  [default: 100, or what --time allows]")
@click.option("--time", default=None, help="For how long, as 10m or 2h.")
@click.option("--epochs", default=20, help="Of the longest trials.")
@click.option("--objective", default=None, help="What is wanted.  [default: val_accuracy, or val_mae for numbers]")
@click.option("--executions", default=1, help="Nets a trial, which differ in their seeds.")
@click.option("--validation", default=0.1, help="Fraction of the training rows to validate on.")
@click.option(
    "--test", default=0.1, help="Fraction of all rows to seal, where the data bring no test rows; 0 for none."
)
@click.option("--seed", default=0, help="The same seed gives the same search on the same machine.")
@click.option("--executor", default="population", help="population, process or ray.")
@click.option("--storage", default=None, help="URL of a database to mirror trials to.  [default: study.db]")
@click.option("--resume", is_flag=True, help="Go on with the study that is there.")
@click.option("--overwrite", is_flag=True, help="Begin anew where there is a study.")
@click.option("--studio", is_flag=True, help="Show the search on a local web page; Ctrl-C ends the page.")
@_of_tables
@click.option("--out", default=None, help="Folder of the study.  [default: studies/DATA-SEARCH]", show_default=False)
def tune(data: str, **asked: Any) -> None:
    """Search for the best dense net for DATA: digits, digits8, mnist, a .npz file, or a table with --target.

    Depth, widths, activation, dropout, L2, optimizer, learning rate and its schedule, and batch size are searched;
    the trials train side by side. The test rows are sealed, as in thalweg train.
    """
    from thalweg.cli._tune import tune as run

    _told(lambda: run(data, asked))


@main.command(context_settings={"show_default": True})
@click.argument("data", default="digits")
@click.option("--target-error", type=float, default=None, help="When to stop, as 0.02.  [default: when nothing helps]")
@click.option("--time", default="5m", help="For how long, as 90s, 10m or 2h.")
@click.option("--validation", default=0.1, help="Fraction of the training rows to choose by.")
@click.option(
    "--test", default=0.1, help="Fraction of all rows to seal, where the data bring no test rows; 0 for none."
)
@click.option("--seed", default=0, help="The same seed begins in the same way on the same machine.")
@click.option("--studio", is_flag=True, help="Show the coach on a local web page; Ctrl-C ends the page.")
@_of_tables
@click.option(
    "--out", default=None, help="Folder of the run.  [default: runs/DATA-coach-DATE-TIME]", show_default=False
)
def coach(data: str, **asked: Any) -> None:
    """Find a net for DATA by the course's recipe: digits, digits8, mnist, a .npz file, a table, a folder of pictures.

    Start simple, diagnose, take the larger of bias and variance, try its remedies side by side, keep what helps by more
    than the noise of seeds, until the target, the time, or no remedy helps. The story is told as it goes; what is left is an
    ordinary run, and Python that builds and trains its net. The test rows stay sealed.
    """
    from thalweg.cli._coach import coach as run

    _told(lambda: run(data, asked))


@main.command()
@click.argument("run")
def resume(run: str) -> None:
    """Go on with RUN, the folder of a run that was broken off, as if nothing had happened.

    It must have been begun by thalweg train. A fit(run=...) in a script goes on when the script is run again.
    """
    from thalweg.cli._train import resume as go_on

    _told(lambda: go_on(run))


@main.command()
@click.argument("run")
@click.option("--reason", required=True, help="Why the test rows are opened; it goes into the ledger beside the run.")
def test(run: str, reason: str) -> None:
    """Open the sealed test rows of RUN, a run's folder, and tell how good its best net is on them.

    Each opening goes on record, in test-ledger.jsonl beside the run. The interval is the wider the more often these rows
    have been opened.
    """
    from thalweg.cli._test import look

    _told(lambda: look(run, reason))


@main.command()
@click.argument("run")
@click.option(
    "--target-error", type=float, default=None, help="The error that is asked for, as 0.02.  [default: estimated]"
)
@click.option("--seeds", default=0, help="Nets like it to train with other seeds, for intervals over them.")
def diagnose(run: str, target_error: float | None, seeds: int) -> None:
    """Say what holds the best net of RUN back, and what to do next.

    Training and validation error are compared with the target, and with what models that are no nets reach. For classes and
    labels an error is the share of wrong ones, for numbers the share of their variance that is left unexplained.
    """
    from thalweg.cli._diagnose import diagnose as run_

    _told(lambda: run_(run, target_error, seeds))


@main.command(context_settings={"show_default": True})
@click.argument("run")
@click.option("--example", type=int, default=None, help="Number of the row, from 0.  [default: the average of 1,000]")
@click.option("--layer", default=None, help="Of the neuron: 1 is the first hidden layer; or its name.")
@click.option("--neuron", type=int, default=None, help="Its number in the layer, from 0.")
@click.option("--of", type=click.Choice(["validation", "training"]), default="validation", help="Which rows.")
def backprop(run: str, example: int | None, layer: str | None, neuron: int | None, of: str) -> None:
    """Show what backpropagation asks of the best net of RUN: errors layer by layer, or what one neuron wishes.

    A neuron wishes its bias raised or lowered, its weights changed in proportion to the activations they come from, and
    these activations changed in proportion to the weights. The net is drawn into the run's folder: backprop.png.
    """
    from thalweg.cli._backprop import backprop as run_

    _told(lambda: run_(run, example, layer, neuron, of))


@main.command()
@click.argument("run")
@click.option("--learning-curve", is_flag=True, help="Train nets on more and more of the rows: would more rows help?")
def report(run: str, learning_curve: bool) -> None:
    """Write the report of RUN, a run's folder, into it: report.html, one file to read offline, and report.md.

    What was trained on what, its curves, the diagnosis, the mistakes on the validation rows, and who opened the test set,
    which the report itself never does.
    """
    from thalweg.cli._report import write

    _told(lambda: write(run, learning_curve))


@main.command(context_settings={"show_default": True})
@click.argument("run")
@click.argument("table")
@click.option("-o", "--out", required=True, help="Where to write the predictions, a .csv file.")
@click.option("--rows", default=65536, help="Rows held in memory at a time.")
def predict(run: str, table: str, out: str, rows: int) -> None:
    """Predict for the rows of TABLE (.csv, .parquet, .jsonl) with RUN, a run's folder or a .keras file.

    Where RUN was trained on pictures, TABLE is a folder of pictures, or one picture.

    Columns may stand in another order; others are ignored with a word. Besides the prediction, and of classes each
    one's probability, a column counts the cells of a row that are unlike all that were seen in training.
    """
    from thalweg.cli._predict import predict as run_

    _told(lambda: run_(run, table, out, rows))


@main.command()
@click.argument("folder", default="runs")
def runs(folder: str) -> None:
    """List the runs in FOLDER: their state, epochs, best and last numbers.  [default: runs]"""
    from thalweg.cli._runs import show

    _told(lambda: show(folder))


@main.command(context_settings={"show_default": True})
@click.argument("runs", default="runs")
@click.option("--studies", default="studies", show_default=True, help="Another folder, of studies.")
@click.option("--port", default=0, help="To listen on; 0: a free one.")
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
def studio(runs: str, studies: str, port: int, opened: bool) -> None:
    """A local web page about the runs and studies in the folder RUNS: those that ended, and those under way in other processes.

    A fit that was begun with --studio, or with the callback Studio, is steered from here, too. The page is on this machine alone,
    behind the link that is printed; Ctrl-C ends it.
    """
    from thalweg.cli._studio import studio as serve

    _told(lambda: serve(runs, studies, port, opened))


def _told(act: Callable[[], None]) -> None:
    """Run a command; what a person can mend is said in one line."""
    from thalweg.cli._interrupted import Interrupted

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_, **__: click.echo(str(message), err=True)
            act()
    except Interrupted:
        sys.exit(130)
    except (ValueError, TypeError, ImportError, OSError, RuntimeError, FloatingPointError, MemoryError) as error:
        raise click.ClickException(str(error)) from error
