# The guide's image, with the probe in front: what a user does to a service of their own.
FROM oomdrill
USER 0
RUN apt-get update && apt-get install -y --no-install-recommends python3-minimal && rm -rf /var/lib/apt/lists/*
COPY memory_leak.py /app/memory_leak.py
USER 65532:65532
CMD ["oomprobe", "run", "--", "python3", "/app/memory_leak.py"]
