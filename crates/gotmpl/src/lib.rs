//! Go's `text/template`, exactly, with the functions of sprig v2.22 and Kalypso's own.
//!
//! Pure: a template and data in, bytes out. Steps and output are limited.

mod ast;
mod builtins;
mod compare;
mod complex;
mod constant;
mod error;
mod escape;
mod exec;
mod float;
mod format;
pub mod functions;
mod lex;
mod map;
mod parse;
mod print;
mod printf;
mod slot;
mod strconv;
mod template;
mod value;

pub use error::Error;
pub use map::MapRef;
pub use strconv::parse_float;
pub use template::{Limits, Template};
pub use value::{Budget, Elem, Function, Object, Str, Struct, Type, Value};
