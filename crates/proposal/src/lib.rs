//! Pull requests and issues.
