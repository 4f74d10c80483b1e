# docker run --memory=512m IMAGE                            the incident, its events on stdout
# docker run --memory=512m IMAGE leaksim --pattern burst    the leak alone
# docker run --memory=512m IMAGE oomprobe doctor            what the probe can see here
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/packages/build scripts/packages/build
RUN apt-get update \
 && xargs apt-get install -y --no-install-recommends < scripts/packages/build \
 && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release \
 && cmake --build --preset release \
 && cmake --install build/release --prefix /usr/local --strip

FROM debian:bookworm-slim
# simdjson for oomdrill, jemalloc for leaksim --allocator jemalloc; oomprobe needs nothing.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libsimdjson14 libjemalloc2 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/leaksim /usr/local/bin/oomprobe /usr/local/bin/oomdrill /usr/local/bin/
USER 65532:65532
CMD ["oomprobe", "run", "--", "leaksim"]
