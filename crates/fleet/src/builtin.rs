//! Templates that serve a control plane without templates of these names.

use crate::diagnostic::FileName;
use crate::objects::{Object, Template};
use crate::parse;
use crate::source::Documents;

const TEXTS: [(&str, &str); 4] = [
    ("arc-flux.yaml", include_str!("../../../templates/builtin/arc-flux.yaml")),
    ("argocd.yaml", include_str!("../../../templates/builtin/argocd.yaml")),
    ("configmap.yaml", include_str!("../../../templates/builtin/configmap.yaml")),
    ("default.yaml", include_str!("../../../templates/builtin/default.yaml")),
];

const PREFIX: &str = "built-in:";

impl Template {
    /// Whether it came with the program.
    pub(crate) fn is_built_in(&self) -> bool {
        &*self.file.prefix == PREFIX
    }
}

/// The built-in templates.
pub(crate) fn templates() -> Vec<Template> {
    let documents = TEXTS.iter().flat_map(|(name, text)| {
        let file = FileName { prefix: PREFIX.into(), path: (*name).into() };
        goyaml::parse(text, goyaml::Limits::default()).0.into_iter().map(move |node| (file.clone(), node))
    });
    let parsed =
        parse::objects(Documents { documents: documents.collect(), ..Documents::default() }, |_| None);
    let template = |parsed: parse::Parsed| match parsed.object {
        Object::Template(template) => Some(template),
        _ => None,
    };
    parsed.objects.into_iter().filter_map(template).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_text_is_a_template() {
        let names: Vec<String> = super::templates().into_iter().map(|template| template.meta.name).collect();
        assert_eq!(names, ["arc-flux", "argocd", "configmap", "default"]);
    }
}
