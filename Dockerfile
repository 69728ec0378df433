# The playground as an image for a classroom server: docker build --build-arg TORCH_BACKEND=cpu -t pytorch-playground .
# PyTorch's build is chosen by TORCH_BACKEND: cpu, or cu128 and the like for a machine with a GPU; empty takes the one of
# the package index. MNIST=1 adds the digits. docs/deploy/README.md says how to pin the base to a digest, and when.

# Python and Debian are pinned by release; the tag itself moves on with their security updates.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG TORCH_BACKEND=cpu
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
RUN pip install --no-cache-dir uv==0.13.9 && uv venv /venv
WORKDIR /app
COPY requirements.txt ./
# Left out are the libraries' tests, and what of torch only programs in C++ need: headers and tools, without the one for
# shared memory, which `import torch` looks for.
RUN uv pip install --python /venv/bin/python --no-cache ${TORCH_BACKEND:+--torch-backend=${TORCH_BACKEND}} \
        -r requirements.txt \
    && cd /venv/lib/python*/site-packages \
    && rm -r torch/test torch/include \
    && find torch/bin ! -type d ! -name torch_shm_manager -delete \
    && find . -type d -name tests -prune -exec rm -r {} +
# MNIST=1 fetches the four files (12 MB) and checks them; without it the folder is empty.
ARG MNIST=0
COPY playground/__init__.py playground/shared_folder.py playground/
COPY playground/mnist playground/mnist
RUN mkdir data && if [ "${MNIST}" = 1 ]; then /venv/bin/python -m playground.mnist data; fi
COPY .streamlit .streamlit
COPY playground playground
COPY pages pages
COPY app.py ./
# The server is started once. What it imports then is compiled, and nothing else: all libraries would be 200 MB more.
RUN mkdir /bytecode && export HOME=/tmp PYTHONPYCACHEPREFIX=/bytecode PYTHONDONTWRITEBYTECODE= \
    && { streamlit run app.py --server.address=127.0.0.1 --server.port=8501 & } && server=$! \
    && until python -c "import urllib.request as web; web.urlopen('http://127.0.0.1:8501/_stcore/health')" 2>&-; \
        do sleep 1 && kill -0 ${server} || exit 1; done \
    && kill ${server} && { wait ${server} || true; }

FROM ${BASE}
# A fixed user id, so that a mounted folder can be given to it: a new volume at /mnist is this user's, for a download.
# HOME and caches are in /tmp: the rest may be read-only.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin playground \
    && install --directory --owner=10001 --group=10001 /mnist
ENV PATH=/venv/bin:$PATH \
    HOME=/tmp \
    XDG_CACHE_HOME=/tmp/.cache \
    XDG_CONFIG_HOME=/tmp/.config \
    XDG_DATA_HOME=/tmp/.local/share \
    PYTHONPYCACHEPREFIX=/bytecode \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# What each of these means is in README.md; the values are the app's own defaults.
ENV PLAYGROUND_DATA= \
    PLAYGROUND_CORES=0 \
    PLAYGROUND_WORKERS=0 \
    PLAYGROUND_TORCH_THREADS=1 \
    PLAYGROUND_MAX_RUNS=64 \
    PLAYGROUND_MAX_VISITORS=0 \
    PLAYGROUND_DRAIN_SECONDS=0 \
    PLAYGROUND_RUNS_PER_SESSION=7 \
    PLAYGROUND_MAX_PARAMETERS=2000000 \
    PLAYGROUND_MAX_POINTS=5000 \
    PLAYGROUND_MAX_RUN_MB=64 \
    PLAYGROUND_MEMORY_MB=0 \
    PLAYGROUND_RUN_SECONDS=1800 \
    PLAYGROUND_IDLE_MINUTES=10 \
    PLAYGROUND_KEPT_KB=4000 \
    PLAYGROUND_RETURN_SECONDS=120 \
    PLAYGROUND_FRAME_RATE=30 \
    PLAYGROUND_LOADERS=1 \
    PLAYGROUND_ORIGINS= \
    PLAYGROUND_EMBED= \
    PLAYGROUND_PROXIES= \
    PLAYGROUND_SECRET= \
    PLAYGROUND_CLASSES=20 \
    PLAYGROUND_CLASS_SEATS=300 \
    PLAYGROUND_CLASS_NAMES= \
    PLAYGROUND_CLASS_NAME_LETTERS=16 \
    PLAYGROUND_CLASS_JOINS=20 \
    PLAYGROUND_CLASS_ACTS=5 \
    PLAYGROUND_CLASS_WRONG_CODES=10 \
    PLAYGROUND_CLASS_SNAPSHOTS=200 \
    PLAYGROUND_CLASS_HOURS=8 \
    PLAYGROUND_CLASS_AWAY_MINUTES=30
WORKDIR /app
# The largest first: it changes with requirements.txt alone.
COPY --from=build /venv /venv
COPY --from=build /bytecode /bytecode
COPY --from=build /app /app
USER 10001:10001
EXPOSE 8501
# Streamlit's health address answers 200 to more than it should, so the body is read: it must be "ok".
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-c", "import http.client, sys; server = http.client.HTTPConnection('127.0.0.1', 8501, timeout=4); server.request('GET', '/_stcore/health'); sys.exit(server.getresponse().read().strip() != b'ok')"]
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
