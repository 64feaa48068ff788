//! The sandbox, driven by a plain HTTP client and by the real `git`.

mod apps;
mod client;
mod faults;
mod promotion;
mod rest;
mod smart_http;
mod world;
