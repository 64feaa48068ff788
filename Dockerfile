# The image of the Action: one static binary, and a folder for temporary files. No shell, no user, no certificates.
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /build
COPY . .
ARG SOURCE_DATE_EPOCH=0
# With a named target, the flags are those of the binary alone, not also of what runs while it is built.
RUN target="$(rustc --print host-tuple)" \
    && export RUSTFLAGS='-C target-feature=+crt-static' \
    && cargo build --locked --release --bin kalypso --target "$target" \
    && mkdir /image \
    && mkdir --mode=1777 /image/tmp \
    && cp "target/$target/release/kalypso" /image/ \
    && touch --date="@$SOURCE_DATE_EPOCH" /image/*

# GitHub has container actions run as root, so that no user is set: see docs/image.md for another one.
FROM scratch
LABEL org.opencontainers.image.title="kalypso" \
      org.opencontainers.image.description="GitOps scheduling and promotion for fleets of Kubernetes clusters, without a control-plane cluster" \
      org.opencontainers.image.source="https://github.com/kalypso-action/kalypso-action" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /image /
ENTRYPOINT ["/kalypso"]
