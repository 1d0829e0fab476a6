# One static binary in an empty image.
#   docker build -t kconnect .
#   docker run -p 8083:8083 -v ./connect-distributed.properties:/etc/kconnect/connect-distributed.properties:ro kconnect
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN make build VERSION=$VERSION && mkdir -p -m 1777 /out/tmp

FROM scratch
# Certificates for brokers and databases with TLS; a place for temporary files. Time zones are in the binary.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/ /
# The folder as a whole keeps the links connect-distributed and connect-standalone links.
COPY --from=build /src/bin/ /usr/local/bin/
COPY configs/ /etc/kconnect/
# No root inside: a user id that owns nothing.
USER 65532:65532
EXPOSE 8083
# Status 0 when the worker's REST API says it is healthy; the image has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/local/bin/kconnect", "health", "/etc/kconnect/connect-distributed.properties"]
ENTRYPOINT ["/usr/local/bin/kconnect"]
CMD ["distributed", "/etc/kconnect/connect-distributed.properties"]
