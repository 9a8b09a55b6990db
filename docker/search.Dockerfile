# Search: some shards of every index.
#   docker build -f docker/search.Dockerfile -t lookalike/search:0.1.0 .
# The first has a C++ compiler, for Annoy, the second has not; they must have the same Python.
ARG BUILD_BASE=python:3.11-bookworm
ARG BASE=python:3.11-slim-bookworm

FROM ${BUILD_BASE} AS build
ARG UV_VERSION=0.13.8
ENV UV_PYTHON_PREFERENCE=only-system \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir "uv==${UV_VERSION}"
WORKDIR /app
COPY pyproject.toml uv.lock ./
# Annoy would be built for this very processor; an image is for any.
RUN --mount=type=cache,target=/root/.cache/uv \
    ANNOY_COMPILER_ARGS=-O3,-ffast-math,-fno-associative-math,-fpermissive,-std=c++14,-DANNOYLIB_MULTITHREADED_BUILD \
    /opt/uv/bin/uv sync --frozen --no-install-project --no-default-groups \
    --group search --group distributed --group annoy
COPY shared shared
COPY services/__init__.py services/
COPY services/search services/search
RUN python3 -m compileall -q shared services

FROM ${BASE}
RUN groupadd --gid 10001 lookalike \
    && useradd --no-log-init --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin lookalike \
    && install -d -o lookalike -g lookalike /var/lib/lookalike
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app/shared /app/shared
COPY --from=build /app/services /app/services
COPY docker/answers /usr/local/bin/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOOKALIKE_DATA=/var/lib/lookalike
WORKDIR /app
USER 10001:10001
EXPOSE 8082
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["answers", "8082", "/readyz"]
ENTRYPOINT ["python", "-m"]
CMD ["services.search.serve", "--host", "0.0.0.0"]
