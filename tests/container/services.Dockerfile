# Services that nobody here wrote, as Debian ships them, below the probe. PostgreSQL's cluster is made here: in the
# VM that takes a minute. LLVM (jit = on) would be most of what the VM has to take in.
FROM oomdrill
USER 0
RUN apt-get update \
 && apt-get install -y --no-install-recommends nginx-light redis-server postgresql-15 tcc \
 && rm -rf /var/lib/apt/lists/* /usr/lib/*/libLLVM* /usr/lib/postgresql/15/lib/bitcode \
 && install -d -o postgres /data && su postgres -c '/usr/lib/postgresql/15/bin/initdb --auth=trust --no-sync -D /data/pg' \
 && install -d -o www-data /www
COPY nginx.conf /etc/nginx/nginx.conf
