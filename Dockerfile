# The image of a Walden node. All steps are helm/image/image.sh, which a test runs without a registry.
#   docker build -t walden .
#   docker run -e POSTGRES_PASSWORD=secret -p 5432:5432 -p 9187:9187 --shm-size 256m walden
FROM debian:bookworm-slim AS build
COPY . /src
RUN /src/helm/image/image.sh build /src /out

FROM debian:bookworm-slim
COPY helm/image /tmp/image
RUN --mount=from=build,source=/out,target=/out /tmp/image/image.sh runtime /out/walden && rm -r /tmp/image
ENV PGDATA=/var/lib/walden/data LANG=C.UTF-8
VOLUME /var/lib/walden
EXPOSE 5432 15432 9187
USER walden
STOPSIGNAL SIGINT
ENTRYPOINT ["walden-entrypoint"]
