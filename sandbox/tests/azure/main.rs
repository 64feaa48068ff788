//! The sandbox's Azure, driven by a plain HTTP client.

mod client;
mod lives;
mod manager;
mod queries;
mod sign_in;
