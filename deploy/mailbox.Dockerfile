# The development mailbox of deploy/compose.yaml: takes every mail and keeps it as a file in /mail.
ARG BASE=python:3.13-slim-bookworm

FROM $BASE AS dependencies
WORKDIR /app
COPY scripts/uv.txt /build/
RUN python -m pip install --quiet --root-user-action=ignore --no-cache-dir \
    --only-binary :all: --require-hashes -r /build/uv.txt
COPY pyproject.toml uv.lock ./
RUN UV_PYTHON_DOWNLOADS=never uv sync --quiet --frozen --no-cache --no-build --only-group mailbox --compile-bytecode \
    && mkdir /mail

FROM $BASE
WORKDIR /app
USER 10001:10001
EXPOSE 8025
ENTRYPOINT [".venv/bin/python", "mailbox.py", "8025", "/mail", "0.0.0.0"]
# A new volume there is its owner's.
COPY --from=dependencies --chown=10001:10001 /mail /mail
COPY --from=dependencies /app/.venv .venv
COPY scripts/mailbox.py .
