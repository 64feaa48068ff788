//! Whether two URLs name one repository.

/// Whether two URLs name one repository of a GitHub server: host and path are the same in any case, with or without
/// `.git`, a slash at the end, a user, and in `ssh` forms.
pub fn is_same_repository(_one: &str, _other: &str) -> bool {
    unimplemented!()
}
