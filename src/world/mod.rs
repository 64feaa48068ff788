//! Everything outside of the process: folders now, git and services later.

pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod out;
pub(crate) mod repos;
pub(crate) mod terminal;
