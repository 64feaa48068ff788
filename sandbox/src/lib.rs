//! The world on loopback.
