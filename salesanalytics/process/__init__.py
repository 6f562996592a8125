"""The sales process as data: stages, milestones, conditions and rules, read from YAML."""

from salesanalytics.process.model import Process, Stage
from salesanalytics.process.read import read_process

__all__ = ["Process", "Stage", "read_process"]
