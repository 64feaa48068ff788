//! `fail`, and what belongs nowhere else.

use super::arguments::{fixed, text};
use crate::{Function, Type};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("fail", &[Type::Str], |_, arguments| Err(text(arguments, 0)?.to_text().into_owned())),
    fixed("hello", &[], |_, _| Ok("Hello!".into())),
];

pub(super) const REFUSED: &[(&str, &str)] = &[("uuidv4", "gives another result in every run")];
