# Two images: `cpu`, the default, and `cuda` (docker build --target cuda). What is in them, and how to pin the base
# image by digest: docs/containers.md.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-deps -r requirements.txt
COPY pyproject.toml requirements.in README.md LICENSE ./
COPY core core
COPY app app
RUN pip install --no-deps --no-build-isolation --editable .

FROM build AS build-cpu
COPY docker docker
RUN docker/leave-out-gpu /opt/venv

# Everything but the virtual environment. pg_dump and pg_restore are for backups of PostgreSQL.
FROM ${PYTHON_IMAGE} AS runtime
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin radikal \
    && mkdir --mode 0700 /data \
    && chown radikal: /data
# HOME and MPLCONFIGDIR: libraries want to keep caches, and the root file system may be read-only
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp MPLCONFIGDIR=/tmp
ENV APP_ENV=production \
    DATA_DIR=/data \
    DATABASE_URL=sqlite:////data/radikal.db \
    MLFLOW_TRACKING_URI=sqlite:////data/mlflow.db
WORKDIR /app
COPY --from=build /app ./
COPY pages pages
COPY docs/reading.md docs/reading.md
COPY docs/images docs/images
COPY models models
COPY data data
COPY .streamlit .streamlit
COPY docker docker
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "docker/healthcheck.py"]
ENTRYPOINT ["docker/start"]

FROM runtime AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build /opt/venv /opt/venv

FROM runtime AS cpu
COPY --from=build-cpu /opt/venv /opt/venv
