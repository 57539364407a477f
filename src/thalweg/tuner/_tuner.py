"""The tuner: what a person holds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from thalweg import _checks, _seeds, data
from thalweg._names import unknown
from thalweg._seconds import seconds_of
from thalweg.callbacks._callback import apart
from thalweg.models._fit import as_list
from thalweg.models._interrupts import Interrupts
from thalweg.tuner import _summary
from thalweg.tuner._again import distinct, trained_again
from thalweg.tuner._bench import Bench
from thalweg.tuner._curves import CURVES
from thalweg.tuner._folds import folds_of
from thalweg.tuner._hypermodel import Closed, checked_model, hypermodel_of, made_by
from thalweg.tuner._hyperparameters import HyperParameters
from thalweg.tuner._loop import Limits, Loop
from thalweg.tuner._nets import Nets
from thalweg.tuner._objective import objectives_of
from thalweg.tuner._space import first_space
from thalweg.tuner._study import Study, StudyRecord, holds_study, read_study
from thalweg.tuner._table import SearchScreen
from thalweg.tuner._trial import Trial
from thalweg.tuner._verdict import Verdict, verdict_of
from thalweg.tuner.executors._make import executor_of
from thalweg.tuner.searches._search import Search

_PARTS = ("nets", "groups", CURVES)


class Tuner:
    """A search over the hyperparameters of a net, whose trials train side by side.

    A study lives in ``<directory>/<project_name>/``; the same search started again goes on where it was broken off.

    Args:
        hypermodel: a function of `hp` that gives a compiled model, or a :class:`HyperModel`.
        objective: what is wanted: the name of a log, as ``'val_accuracy'``, an :class:`Objective`, or a list of several.
        search: what proposes trials.
        directory, project_name: where the study lives.
        overwrite: begin anew where there is a study.
        seed: of all that is random; two searches with one seed are identical. None: drawn, and written down.
        hyperparameters: values and parameters that win over what `hypermodel` asks for.
        tune_new_entries: whether parameters that are not in `hyperparameters` are searched; else they keep their
            defaults.
        executions_per_trial: nets a trial, which differ in their seeds; its score is their mean.
        cross_validation: folds into which the training rows are cut; a trial has a net a fold, its score is their mean.
        max_time: seconds, or ``'10m'``: after that no group of trials is begun, and running ones stop
            after their epoch. What was not begun waits for the next ``search``.
        max_consecutive_failed_trials: trials in a row that may fail.
        keep: how many of the best trials' nets are kept.
        executor: ``'population'``, ``'process'``, ``'ray'``, or one of :mod:`thalweg.tuner.executors`.
        memory: bytes that nets which train together may take; None: half of what is free.
        checkpoint: how often a group of trials under way is written down.
        storage: where finished trials are mirrored to: the URL of a database that Optuna opens. None: ``study.db`` in
            the study's folder.
        asked: what else the study is known by, as plain data: one that was begun with other is not gone on with.

    Raises:
        ValueError: on an argument out of range or an unknown name; it names the argument.
        TypeError: where `hypermodel` cannot build models.

    """

    def __init__(
        self,
        hypermodel: Any,
        objective: Any = None,
        *,
        search: Search,
        directory: Any = None,
        project_name: str | None = None,
        overwrite: bool = False,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        executions_per_trial: int = 1,
        cross_validation: int | None = None,
        max_time: Any = None,
        max_consecutive_failed_trials: int = 10,
        keep: int = 10,
        executor: Any = "population",
        memory: int | None = None,
        checkpoint: str | None = "30 s",
        storage: str | None = None,
        asked: Mapping[str, Any] | None = None,
    ) -> None:
        self.hypermodel = hypermodel_of(hypermodel)
        self.objectives = objectives_of(objective)
        self.search_ = search
        self.folder = Path(directory or ".") / (project_name or "untitled_project")
        self.overwrite = overwrite
        self.seed = None if seed is None else _seeds.checked(seed)
        self.template = hyperparameters or HyperParameters()
        if not tune_new_entries:
            self.hypermodel = Closed(self.hypermodel)
        _checks.number(self, "executions_per_trial", executions_per_trial, at_least=1)
        _checks.number(self, "max_consecutive_failed_trials", max_consecutive_failed_trials, at_least=1)
        if cross_validation is not None:
            _checks.number(self, "cross_validation", cross_validation, at_least=2)
        self.executions_per_trial, self.cross_validation = int(executions_per_trial), cross_validation
        self.max_time = None if max_time is None else seconds_of(max_time, "max_time")
        self.failures, self.keep, self.memory = int(max_consecutive_failed_trials), keep, memory
        self.executor, self.checkpoint, self.storage = executor, checkpoint, storage
        self.asked = None if asked is None else dict(asked)
        self._given: tuple[tuple[Any, ...], dict[str, Any]] | None = None

    # -- searching ----------------------------------------------------------------------------------

    def search(self, *args: Any, verbose: Any = "auto", **kwargs: Any) -> None:
        """Search; the arguments are those of ``fit``, whose callbacks are copied for every trial.

        Args:
            args, kwargs: what every trial's ``fit`` is given: x, y, epochs, validation_data, callbacks, ...
            verbose: 0 silent, 1 a live table, 2 a line a trial; ``'auto'`` is 1 in a terminal or notebook, else 2.

        Callbacks that are of searches as a whole (:class:`thalweg.studio.Studio`) are not copied: they are told of the study's folder.

        Raises:
            SearchFailed: where trials failed one after the other, or none has a score; it says why.
            ValueError: where the study in the folder is another one's; it says what differs.

        """
        data.refuse_sealed(*args, *kwargs.values())  # at once, not as a trial that fails
        watching, own = apart(as_list(kwargs.get("callbacks")))
        kwargs = {**kwargs, "callbacks": own} if watching else kwargs
        self._given = (args, kwargs)
        seed = self._seed()
        bench = self._bench(seed, args, kwargs)
        deadline = None if self.max_time is None else time.monotonic() + self.max_time
        limits = Limits(deadline, self.failures, self.keep)
        begun = time.monotonic()
        executor = executor_of(self.executor, self.memory, limits.over)
        identity = self._identity(seed)
        study = Study(self.folder, identity, first_space(bench), self.overwrite, self.storage, parts=_PARTS)
        self.overwrite = False  # a second call goes on
        try:
            screen = SearchScreen.for_verbose(verbose, self.objectives, None, deadline)
            with screen, Interrupts(waits=False) as interrupts:
                limits.check = interrupts.check
                loop = Loop(bench, self.search_, executor, study, screen, limits)
                screen.total = self.search_.total(loop.book)
                screen.begin(self._title(study), study.trials)
                study.note("search", {"total": screen.total, "epochs": kwargs.get("epochs"), "max_time": self.max_time})
                for one in watching:
                    one.on_search_begin(self.folder)
                try:
                    self._warn(loop)
                    loop.run()
                except KeyboardInterrupt:
                    loop.ended = "interrupted"
                    raise
                finally:
                    executor.close()
                    loop.curves.close()
                    seconds = time.monotonic() - begun
                    screen.end(_summary.end_summary(loop.trials, self.objectives, seconds, screen.width))
            study.end(loop.ended)
        finally:
            study.close(wait=False)

    def _warn(self, loop: Loop) -> None:
        text = self.search_.warning(loop.book)
        if text is not None:
            loop.screen.said(text)
            loop.study.note("warning", text)

    def _bench(self, seed: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Bench:
        return Bench(
            self.hypermodel,
            self.template,
            self.objectives,
            seed,
            args,
            kwargs,
            self.executions_per_trial,
            folds_of(self.cross_validation, args, kwargs, seed),
            self.search_.continues,
            self.checkpoint,
        )

    def _seed(self) -> int:
        """The seed given, that of the study to go on with, or a new one."""
        if self.seed is None and not self.overwrite and holds_study(self.folder):
            self.seed = int(read_study(self.folder).identity["seed"])
        if self.seed is None:
            self.seed = _seeds.next_seed()
        return self.seed

    def _identity(self, seed: int) -> dict[str, Any]:
        return {
            "search": self.search_.NAME,
            **self.search_.settings(),
            "objectives": [{"name": one.name, "direction": one.direction} for one in self.objectives],
            "seed": seed,
            "executions_per_trial": self.executions_per_trial,
            "cross_validation": self.cross_validation,
            "asked": self.asked,
        }

    def _title(self, study: Study) -> list[str]:
        goals = ", ".join(f"{'lowest' if one.direction == 'min' else 'highest'} {one.name}" for one in self.objectives)
        lines = [f"Searching for the {goals} ({self.search_.NAME}), study in {self.folder}/"]
        if study.trials:
            lines.append(f"going on with {len(study.trials)} trials that are there")
        return lines

    # -- what came of it ----------------------------------------------------------------------------

    @property
    def trials(self) -> list[Trial]:
        """All trials, by number.

        Raises:
            ValueError: where nothing has been searched yet.

        """
        return self._record().trials

    def _record(self) -> StudyRecord:
        if not holds_study(self.folder):
            raise ValueError(f"There is no study in {self.folder}/ yet: call search first.")
        return read_study(self.folder)

    @property
    def best_trial(self) -> Trial:
        """The best one.

        Raises:
            ValueError: where none has a score.

        """
        return self._best(1)[0]

    def _best(self, count: int) -> list[Trial]:
        found = [trial for trial in _summary.ranked(self.trials, self.objectives) if trial.has_score]
        if not found:
            raise ValueError(f"No trial of the study in {self.folder}/ has a score.")
        return found[:count]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """The hyperparameters of the best trials, best first."""
        return [self._hp(trial) for trial in self._best(num_trials)]

    def _hp(self, trial: Trial) -> HyperParameters:
        hp = self.template.for_trial(trial.values)
        made_by(self.hypermodel, hp)
        hp.values.update(trial.values)  # ``fit`` may have asked for more
        return hp

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        """The trained nets of the best trials, with the weights of their best epochs: none is trained again.

        Of a trial with several nets it is the one with the best score.
        """
        return [self.model_of(trial) for trial in self._best(num_models)]

    def model_of(self, trial: Trial) -> Any:
        """The trained net of a trial.

        Raises:
            ValueError: where it was not kept.

        """
        saved = Nets(self.folder).best(trial, self.objectives[0].sign)
        model = checked_model(made_by(self.hypermodel, self.template.for_trial(trial.values)))
        saved.restore(model)
        return model

    def histories(self, trial: Trial) -> list[dict[str, list[float]]]:
        """A trial's logs by epoch, one dict a net."""
        return Nets(self.folder).histories(trial)

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials."""
        print("\n".join(_summary.results_summary(self.trials, self.objectives, num_trials)))

    def search_space_summary(self, extended: bool = False) -> None:
        """Print the hyperparameters that are known."""
        known = holds_study(self.folder) and not self.overwrite
        space = read_study(self.folder).parameters if known else first_space(self._bench(0, (), {}))
        print("\n".join(_summary.search_space_summary(space)))

    def trials_dataframe(self) -> Any:
        """All trials as a pandas frame: a line a trial, a column a hyperparameter."""
        return _summary.trials_dataframe(self.trials, self.objectives)

    def importance(self, objective: Any = None) -> Any:
        """Which hyperparameters mattered, with uncertainty (see :func:`thalweg.tuner.importance`)."""
        from thalweg.tuner._importance import importance

        study = self._record()
        names = [one.name for one in self.objectives]
        wanted = names[0] if objective is None else objectives_of(objective)[0].name
        if wanted not in names:
            raise ValueError(f"importance: {unknown('objective', wanted, names)}")
        index = names.index(wanted)
        return importance(study.trials, study.parameters, self.objectives[index], index=index)

    def picture(self, kind: str = "history", path: Any = None, **options: Any) -> Any:
        """A picture of the search: history, importance, slices, parallel, contour, pareto."""
        from thalweg.tuner._pictures import picture

        study = self._record()
        return picture(kind, study.trials, study.parameters, self.objectives, path, **options)

    def verdict(self, *args: Any, top: int = 3, seeds: int = 5, **kwargs: Any) -> Verdict:
        """Train the best trials again on new seeds, all side by side, and compare them.

        Args:
            args, kwargs: as for ``search``; left out, they are those of the last ``search``.
            top: how many of the best trials.
            seeds: how many nets of each.

        Returns:
            Means with intervals, and whether the winner beats the runner-up beyond the noise of seeds; print it.

        Raises:
            ValueError: where nothing was searched, or no data are given after a restart.

        """
        _checks.number(self, "top", top, at_least=1)
        _checks.number(self, "seeds", seeds, at_least=2)
        args, kwargs = (args, kwargs) if args or kwargs else self._given or ((), {})
        if not args and "x" not in kwargs:
            raise ValueError("verdict trains again and needs the data: verdict(x, y, ...), as search was given.")
        chosen = distinct(self._best(len(self.trials)))[:top]
        bench = replace(self._bench(self._seed(), args, kwargs), executions=seeds, continues=False, checkpoint=None)
        scores = trained_again(bench, chosen, executor_of(self.executor, self.memory, lambda: False), self.folder)
        return verdict_of(self.objectives[0], scores)

    @property
    def running(self) -> Sequence[Trial]:
        """Trials that have begun and not ended."""
        return self._record().running
