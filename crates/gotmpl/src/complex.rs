//! Complex numbers, which only constants such as `1+2i` bring into a template.

use crate::Object;

/// `complex128`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Complex {
    pub(crate) real: f64,
    pub(crate) imaginary: f64,
}

impl Object for Complex {
    fn type_name(&self) -> &'static str {
        "complex128"
    }

    fn kind(&self) -> &'static str {
        "complex128"
    }

    fn field(&self, _: &str) -> Option<Result<crate::Value, String>> {
        None
    }

    fn is_true(&self) -> bool {
        self.real != 0.0 || self.imaginary != 0.0
    }

    fn print(&self) -> String {
        let part = |number| crate::float::format(number, 'g', None);
        let imaginary = part(self.imaginary);
        let plus = if imaginary.starts_with(['+', '-']) { "" } else { "+" };
        format!("({}{plus}{imaginary}i)", part(self.real))
    }

    fn to_yaml(&self) -> Result<goyaml::Value, String> {
        Err("cannot marshal type: complex128".into())
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
