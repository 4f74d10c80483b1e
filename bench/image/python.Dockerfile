# The guide's image, of Debian's own packages: python:3.9-slim is in a registry, and holds more than this.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3-minimal && rm -rf /var/lib/apt/lists/*
COPY memory_leak.py /app/memory_leak.py
CMD ["python3", "-u", "/app/memory_leak.py"]
