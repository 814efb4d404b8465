# One service: docker build --build-arg SERVICE=goals . (make images builds all and says what each is a build of).
# The legacy builder is enough. Nothing is installed without a hash; what is installed is one layer for all services.
ARG BASE=python:3.13-slim-bookworm

FROM $BASE AS dependencies
WORKDIR /app
RUN apt-get update -qq && apt-get install -qq --no-install-recommends binutils > /dev/null
COPY scripts/uv.txt /build/
RUN python -m pip install --quiet --root-user-action=ignore --no-cache-dir \
    --only-binary :all: --require-hashes -r /build/uv.txt
# Bytecode is compiled here, because nobody can write it later, and holds whatever happens to the files' times.
ENV UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_HTTP_TIMEOUT=120 PYC_INVALIDATION_MODE=UNCHECKED_HASH
COPY pyproject.toml uv.lock ./
# The file .lock, which anybody may write, is of no more use, and symbols for debuggers are a quarter of it all.
RUN uv sync --quiet --frozen --no-build --no-default-groups --compile-bytecode \
    && find .venv -name "*.so*" -exec strip --strip-unneeded {} + \
    && rm .venv/.lock

FROM $BASE AS code
ARG SERVICE
RUN : "${SERVICE:?Say which service, as in docker build --build-arg SERVICE=goals .}"
WORKDIR /app
COPY shared shared
COPY services/__init__.py services/
COPY services/$SERVICE services/$SERVICE
COPY contracts contracts
# The link is for the ENTRYPOINT, which no build argument reaches: so no shell is between the service and SIGTERM.
RUN ln -s "services/$SERVICE" service \
    && if [ "$SERVICE" != partners ]; then rm -r contracts; fi \
    && python -m compileall -q --invalidation-mode unchecked-hash shared services \
    && chmod -R u=rwX,go=rX .

FROM $BASE
# A container is reached from outside it only.
ENV PATH=/app/.venv/bin:$PATH TANDEM_HOST=0.0.0.0
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["python", "-m", "service"]
COPY --from=dependencies /app/.venv .venv
COPY --from=code /app .
ARG BASE
ARG SERVICE
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="tandem-$SERVICE" \
    org.opencontainers.image.description="The service $SERVICE of Tandem, which keeps therapy going between sessions" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION" \
    org.opencontainers.image.created="$CREATED" \
    org.opencontainers.image.base.name="docker.io/library/$BASE"
