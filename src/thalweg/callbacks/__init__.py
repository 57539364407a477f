"""What listens to a fit and steers it; they are handed the model and know nothing else about it."""

from thalweg._names import tell_absent
from thalweg.callbacks._backup_and_restore import BackupAndRestore as BackupAndRestore
from thalweg.callbacks._callback import Callback as Callback
from thalweg.callbacks._callback_list import CallbackList as CallbackList
from thalweg.callbacks._convergence import Convergence as Convergence
from thalweg.callbacks._csv_logger import CSVLogger as CSVLogger
from thalweg.callbacks._early_stopping import EarlyStopping as EarlyStopping
from thalweg.callbacks._history import History as History
from thalweg.callbacks._history import HyperChange as HyperChange
from thalweg.callbacks._history import Note as Note
from thalweg.callbacks._lambda_callback import LambdaCallback as LambdaCallback
from thalweg.callbacks._learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
from thalweg.callbacks._logs import figure as figure
from thalweg.callbacks._model_checkpoint import ModelCheckpoint as ModelCheckpoint
from thalweg.callbacks._progress_bar import ProgressBar as ProgressBar
from thalweg.callbacks._reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from thalweg.callbacks._replay import Replay as Replay
from thalweg.callbacks._run_folder import RunFolder as RunFolder
from thalweg.callbacks._run_record import Run as Run
from thalweg.callbacks._run_record import read_run as read_run
from thalweg.callbacks._run_record import runs_in as runs_in
from thalweg.callbacks._swap_ema_weights import SwapEMAWeights as SwapEMAWeights
from thalweg.callbacks._tensorboard import TensorBoard as TensorBoard
from thalweg.callbacks._terminate_on_nan import TerminateOnNaN as TerminateOnNaN

tell_absent(__name__)
