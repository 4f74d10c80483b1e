# What the confusion matrix is driven with.
FROM oomdrill-python
USER 0
RUN apt-get update && apt-get install -y --no-install-recommends python3 busybox-static && rm -rf /var/lib/apt/lists/*
CMD ["bash"]
