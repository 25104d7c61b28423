#!/usr/bin/env python3
"""Carries out the Dockerfile in a scratch folder, without Docker and without being root.

Absolute paths of the image (/opt/venv, /app, /data) are mapped below the scratch folder. What needs another
root file system (the base image, adding a user) is listed as left out. At the end the entry point is
started with --demo in development mode; the health check has to fail before, pass while, and fail after
it runs.

    .ci/replay_dockerfile.py [--build-only] [SCRATCH]

SCRATCH is a new temporary folder by default, removed when all went well; --build-only leaves the serving out.
"""

import argparse
import fnmatch
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGE_FOLDERS = ("/opt/venv", "/app", "/data")
LEFT_OUT = ("useradd", "apt-get", "rm -rf /var/lib/apt", "chown")
START_LIMIT_S = 240


def instructions(text: str) -> list[tuple[str, str]]:
    """(keyword, rest) of each instruction, continuation lines joined, comments dropped."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


@dataclass
class Stage:
    """What a later stage may begin with or copy from."""

    root: Path
    environment: dict[str, str]
    workdir: str


class Replay:
    """One pass over the instructions; `image` is the root of the stage that is being built."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.image = scratch / "image"
        self.stages: dict[str, Stage] = {}
        self.environment: dict[str, str] = {}
        self.workdir = "/"
        self.healthcheck: list[str] = []
        self.entrypoint: list[str] = []
        self.stage = ""

    def place(self, path: str) -> Path:
        """Where a path of the image lies here."""
        return self.image / str(Path(self.workdir, path)).lstrip("/")

    def mapped(self, text: str) -> str:
        """`text` with the folders of the image replaced by ours."""
        pattern = "|".join(re.escape(folder) for folder in IMAGE_FOLDERS)
        return re.sub(rf"(?<![\w.])({pattern})(?![\w-])", lambda found: f"{self.image}{found[1]}", text)

    def run(self, command: str | list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        """Run in the working directory of the image with nothing of our environment but the base PATH."""
        return subprocess.run(command, cwd=self.place("."), env=self.variables(), check=False, **options)

    def variables(self) -> dict[str, str]:
        kept = {
            name: os.environ[name]
            for name in ("HOME", "LANG", "PIP_CERT", "SSL_CERT_FILE")
            if name in os.environ
        }
        kept["PATH"] = os.environ["PATH"]
        for name, value in self.environment.items():
            kept[name] = self.mapped(value).replace("$PATH", kept.get("PATH", ""))
        return kept

    def do_from(self, rest: str) -> None:
        if self.image.exists():
            done = Stage(self.scratch / f"stage-{self.stage}", self.environment, self.workdir)
            self.image.rename(done.root)
            self.stages[self.stage] = done
        base, _, name = rest.partition(" AS ")
        self.stage = name.strip() or "final"
        self.workdir, self.environment = "/", {}
        if (earlier := self.stages.get(base.strip())) is None:
            self.image.mkdir(parents=True)
            return
        self.workdir, self.environment = earlier.workdir, dict(earlier.environment)
        shutil.copytree(earlier.root, self.image, symlinks=True, copy_function=os.link)

    def do_env(self, rest: str) -> None:
        self.environment.update(pair.split("=", 1) for pair in shlex.split(rest))

    def do_workdir(self, rest: str) -> None:
        self.workdir = rest
        self.place(".").mkdir(parents=True, exist_ok=True)

    def do_run(self, rest: str) -> None:
        for step in (part.strip() for part in rest.split("&&")):
            if step.startswith(LEFT_OUT):
                print(f"  left out: {step}")
            elif self.run(self.mapped(step.replace("mkdir ", "mkdir -p ")), shell=True).returncode:
                sys.exit(f"failed: {step}")

    def do_copy(self, rest: str) -> None:
        *sources, target = rest.split()
        origin = None
        if sources[0].startswith("--from="):
            origin = self.stages[sources.pop(0).removeprefix("--from=")].root
        for source in sources:
            found = origin / source.lstrip("/") if origin else REPOSITORY / source
            into = self.place(target)
            if found.is_file():
                into = into / found.name if target.endswith("/") else into
                self.copy_file(found, into, is_from_context=origin is None)
                continue
            for path in sorted(found.rglob("*")):
                if path.is_symlink() or path.is_file():
                    self.copy_file(path, into / path.relative_to(found), is_from_context=origin is None)

    def copy_file(self, source: Path, target: Path, *, is_from_context: bool) -> None:
        if is_from_context and is_ignored(str(source.relative_to(REPOSITORY))):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # it may be a link to a file of an earlier stage
        if is_from_context or source.is_symlink():
            shutil.copy2(source, target, follow_symlinks=False)
        else:
            os.link(source, target)  # gigabytes of libraries; nothing changes them

    def do_healthcheck(self, rest: str) -> None:
        self.healthcheck = shlex.split(rest.split("CMD", 1)[1].strip(" []").replace(",", " "))

    def do_entrypoint(self, rest: str) -> None:
        self.entrypoint = shlex.split(rest.strip(" []").replace(",", " "))

    def is_healthy(self) -> bool:
        return self.run(self.healthcheck, capture_output=True).returncode == 0

    def serve_and_check(self) -> None:
        """Start, wait for health, stop; the check must follow."""
        if self.is_healthy():
            sys.exit("port 8000 is already answered by something else; stop it first")
        environment = self.variables() | {"APP_ENV": "development"}
        command = [str(self.place(self.entrypoint[0])), *self.entrypoint[1:], "--demo"]
        started = time.monotonic()
        with subprocess.Popen(
            command, cwd=self.place("."), env=environment, start_new_session=True
        ) as server:
            try:
                while not self.is_healthy():
                    if server.poll() is not None or time.monotonic() - started > START_LIMIT_S:
                        sys.exit("the service did not become healthy")
                    time.sleep(1)
                print(f"healthy after {time.monotonic() - started:.0f} s")
            finally:
                if server.poll() is None:
                    os.killpg(server.pid, signal.SIGTERM)
        if self.is_healthy():
            sys.exit("the health check passes although nothing is served")
        print("the health check fails once the service is stopped, as it should")


def is_ignored(path: str) -> bool:
    """True when .dockerignore keeps `path` out; the last pattern that matches decides."""
    ignored = False
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        keeps, pattern = pattern.startswith("!"), pattern.removeprefix("!")
        parts = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
        if any(fnmatch.fnmatch(part, pattern) or fnmatch.fnmatch(f"x/{part}", pattern) for part in parts):
            ignored = not keeps
    return ignored


def main() -> None:
    """Replay every instruction, then serve."""
    parser = argparse.ArgumentParser(description="Carry out the Dockerfile without Docker.")
    parser.add_argument("scratch", nargs="?", type=Path)
    parser.add_argument("--build-only", action="store_true")
    options = parser.parse_args()
    scratch = (options.scratch or Path(tempfile.mkdtemp(prefix="radikal-image-"))).resolve()
    replay = Replay(scratch)
    for keyword, rest in instructions((REPOSITORY / "Dockerfile").read_text(encoding="utf-8")):
        print(f"{keyword} {rest}", flush=True)
        step = getattr(replay, f"do_{keyword.lower()}", None)
        if step is None:
            print("  left out: needs a container")
        else:
            step(rest)
    if not options.build_only:
        replay.serve_and_check()
    if options.scratch is None:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
