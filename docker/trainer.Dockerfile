# The trainer: the embedder with TensorFlow, which no other image has.
#   docker build -f docker/trainer.Dockerfile -t lookalike/trainer:0.1.0 .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG UV_VERSION=0.13.8
ENV UV_PYTHON_PREFERENCE=only-system \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir "uv==${UV_VERSION}"
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    /opt/uv/bin/uv sync --frozen --no-install-project --no-default-groups \
    --group embedder --group distributed --group training
COPY shared shared
COPY services/__init__.py services/
COPY services/embedder services/embedder
RUN python3 -m compileall -q shared services

FROM ${BASE}
RUN groupadd --gid 10001 lookalike \
    && useradd --no-log-init --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin lookalike \
    && install -d -o lookalike -g lookalike /var/lib/lookalike
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app/shared /app/shared
COPY --from=build /app/services /app/services
COPY docker/beats /usr/local/bin/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOOKALIKE_HEARTBEAT=/tmp/heartbeat \
    LOOKALIKE_DATA=/var/lib/lookalike \
    TMPDIR=/var/lib/lookalike
WORKDIR /app
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["beats"]
ENTRYPOINT ["python", "-m"]
CMD ["services.embedder.training.jobs.worker"]
