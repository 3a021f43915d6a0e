# kamiyo-verify with Chromium, for CI servers that run containers: docs/ci.md says how to build and use it.
# Nothing of a project is in the image; a project is mounted at /project.

# python:3.12.14-slim-bookworm. `docker buildx imagetools inspect python:3.12-slim-bookworm` prints today's digest.
ARG BASE=python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${BASE} AS build
WORKDIR /source
COPY requirements-run.lock requirements-browser.lock ./
RUN python -m venv /opt/kamiyo-verify \
    && /opt/kamiyo-verify/bin/pip install --no-cache-dir --require-hashes -r requirements-run.lock \
    && /opt/kamiyo-verify/bin/pip install --no-cache-dir --require-hashes -r requirements-browser.lock
COPY pyproject.toml README.md LICENSE ./
COPY plugins/kamiyo_verify plugins/kamiyo_verify
RUN /opt/kamiyo-verify/bin/pip install --no-cache-dir --no-deps --no-build-isolation --no-index .

FROM ${BASE}
# Debian removes a version once it has a security fix for it, so a pinned one could soon not be installed.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium fonts-dejavu-core git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 verify \
    && install --directory --owner verify /project
COPY --from=build /opt/kamiyo-verify /opt/kamiyo-verify
# Chromium needs a home that it can write to, whatever user `--user` names.
ENV PATH=/opt/kamiyo-verify/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /project
CMD ["pytest", "--plan"]
