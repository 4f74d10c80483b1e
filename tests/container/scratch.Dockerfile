# Nothing but the static probe and a static workload: no shell, no libc, no /etc.
FROM oomdrill-matrix AS parts
FROM scratch
COPY --from=parts /usr/local/bin/oomprobe /bin/busybox /
