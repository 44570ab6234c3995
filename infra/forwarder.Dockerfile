# The forwarder between BigQuery and the API, for Cloud Run. From the repository's root:
#   docker build -f infra/forwarder.Dockerfile -t IMAGE .
# The image holds the program and the certificates, and no shell; it runs as nobody.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd/forwarder cmd/forwarder
COPY shared shared
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /forwarder ./cmd/forwarder

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /forwarder /forwarder
USER 65534:65534
ENTRYPOINT ["/forwarder"]
