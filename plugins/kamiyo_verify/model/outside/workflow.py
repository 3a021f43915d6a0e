"""Workflow runs of GitHub Actions: which run of a workflow followed which."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from kamiyo_verify.model.outside.shapes import Whole


class WorkflowRun(BaseModel):
    """One run of a workflow. A run again keeps its id; a new run of the workflow has the next number."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Whole
    workflow_id: Whole
    event: str
    run_number: Whole

    def follows(self, other: WorkflowRun) -> bool:
        """Whether it is a later run of the same workflow for the same event.

        Runs for different events are independent of each other: neither replaces the other.
        """
        same = (self.workflow_id, self.event) == (other.workflow_id, other.event)
        return same and self.run_number > other.run_number
