# The guide's python:3.9-slim is in a registry. This is made as its Dockerfile makes it (docker-library/python,
# 3.9/slim-bookworm): the same base, the same three packages, the whole standard library, pip, setuptools and wheel, and no
# compiled modules; of Debian's packages, Python 3.11.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates netbase tzdata python3 python3-pip python3-setuptools python3-wheel \
 && rm -rf /var/lib/apt/lists/* \
 && find / -xdev -name '*.pyc' -delete
COPY memory_leak.py /app/memory_leak.py
CMD ["python3", "-u", "/app/memory_leak.py"]
