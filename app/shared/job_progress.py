"""A long job on its page: progress, time left, its last words, and the ways to stop it.

A page calls `draw_job(job_id)` where the job should appear. It polls while the job is active and runs the
whole page again when its state changes, so that the page can show it and the result.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app.shared.access import acting, current_identity, identified
from app.shared.resources import resources
from app.shared.templates import rendered
from core.domain.accounts import Identity
from core.domain.permissions import Action, may
from core.store.jobs import Job, JobState

_POLL_S = 1.0
_WORDS = {
    JobState.QUEUED: ("schedule", "waits"),
    JobState.RUNNING: ("progress_activity", "runs"),
    JobState.DONE: ("check_circle", "done"),
    JobState.FAILED: ("error", "failed"),
    JobState.CANCELLED: ("cancel", "stopped"),
    JobState.INTERRUPTED: ("warning", "interrupted"),
}


def draw_job(job_id: str, *, title: str = "", has_log: bool = True, why_ended: str = "") -> Job:
    """Draw the job and return it as it was when it was drawn.

    Args:
        job_id: of an existing job.
        title: its task, in words.
        has_log: show the end of its log.
        why_ended: why it cannot be resumed, shown in place of the button; empty where it can.
    """
    identity = current_identity()
    job = resources().services.jobs.find(identity, job_id)
    if job.state.is_active:
        _live(job_id, title, has_log, job.state)
    else:
        _draw(identity, job, title, has_log, why_ended)
    return job


@st.fragment(run_every=_POLL_S)
@identified(touch=False)
def _live(job_id: str, title: str, has_log: bool, drawn: JobState) -> None:
    identity = current_identity()
    job = resources().services.jobs.find(identity, job_id)
    if job.state is not drawn:
        st.rerun()  # the rest of the page tells the state, too
    _draw(identity, job, title, has_log)


def _draw(identity: Identity, job: Job, title: str, has_log: bool, why_ended: str = "") -> None:
    jobs = resources().services.jobs
    ahead = jobs.ahead_of(identity, job) if job.state is JobState.QUEUED else 0
    st.html(job_html(job, title=title, ahead=ahead, now=datetime.now(UTC)))
    if may(identity.role, Action.JOBS_MANAGE):
        _draw_buttons(job, why_ended)
    if has_log:
        with st.expander("Log", key=f"job.log.{job.job_id}"):
            st.code("\n".join(jobs.log_tail(identity, job.job_id)) or "nothing yet", language=None)


def _draw_buttons(job: Job, why_ended: str) -> None:
    if job.state.is_active:
        st.button(
            "Stopping" if job.is_cancel_wanted else "Stop",
            icon=":material/stop_circle:",
            key=f"job.cancel.{job.job_id}",
            on_click=_cancel,
            args=(job.job_id,),
            disabled=job.is_cancel_wanted,
        )
    elif job.state.is_resumable and why_ended:
        st.caption(f"It cannot go on: {why_ended}.")
    elif job.state.is_resumable:
        st.button(
            "Resume",
            icon=":material/play_circle:",
            key=f"job.resume.{job.job_id}",
            on_click=_resume,
            args=(job.job_id,),
            help="Goes on from the newest state that it kept.",
        )


@acting
def _cancel(job_id: str) -> None:
    resources().services.jobs.cancel(current_identity(), job_id)


@acting
def _resume(job_id: str) -> None:
    resources().services.jobs.resume(current_identity(), job_id)


def job_html(job: Job, *, title: str, ahead: int, now: datetime) -> str:
    """State, bar, time left and last words of a job, as HTML.

    Args:
        job: to show.
        title: its task.
        ahead: jobs that come before it on its device.
        now: UTC.
    """
    icon, word = _WORDS[job.state]
    percent = round(100 * job.progress)
    facts = [f"{word}{_device_words(job, ahead)}"]
    if job.state is not JobState.QUEUED:
        facts.append(f"{percent} %")
    return rendered(
        "shared/job.html",
        job=job,
        title=title or job.kind,
        icon=icon,
        percent=percent,
        facts=[*facts, *_time_words(job, now)],
    )


def _device_words(job: Job, ahead: int) -> str:
    if job.state is JobState.RUNNING:
        return " (stopping)" if job.is_cancel_wanted else f" on {job.device}"
    if job.state is JobState.QUEUED and ahead:
        return f" for {job.device}, {ahead} before it"
    return ""


def _time_words(job: Job, now: datetime) -> Sequence[str]:
    if job.state is JobState.RUNNING:
        if job.left_s is None:
            return ("time left not known yet",)
        return (f"{duration_words(job.left_s - (now - job.updated_at).total_seconds())} left",)
    if not job.state.is_active and job.started_at is not None:
        took = duration_words((job.updated_at - job.started_at).total_seconds())
        return (f"{job.updated_at:%Y-%m-%d %H:%M:%S} UTC", f"after {took}")
    return ()


def duration_words(seconds: float) -> str:
    """A duration such as `40 s`, `3 min`, `2 h 10 min`; at least `1 s`."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{round(whole / 60)} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min"
