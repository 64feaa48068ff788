//! Azure's clouds, and where each of them is.

use url::Url;

use crate::exit::Failure;

/// One of Azure's clouds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cloud {
    /// The one that everybody can use
    #[default]
    Public,
    /// That of the United States' government
    UsGovernment,
    /// That in China
    China,
}

/// Where a cloud is, and what tokens for it are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Who gives out tokens
    pub(super) authority: Url,
    /// Where resources are managed
    pub(super) manager: Url,
    /// What a token must be good for
    pub(super) scope: &'static str,
    /// For whom a token of GitHub's must be made out to be exchanged
    pub(super) audience: String,
}

/// What takes the place of what a cloud has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Overrides<'a> {
    /// `AZURE_AUTHORITY_HOST`
    pub(super) authority: Option<&'a str>,
    /// `azure-resource-manager-url`
    pub(super) manager: Option<&'a str>,
    /// `azure-audience`
    pub(super) audience: Option<&'a str>,
}

impl Cloud {
    /// Where it is.
    pub(super) fn place(self, overrides: Overrides<'_>) -> Result<Place, Failure> {
        let (authority, manager, scope, audience) = match self {
            Cloud::Public => (
                "https://login.microsoftonline.com",
                "https://management.azure.com",
                "https://management.azure.com/.default",
                "api://AzureADTokenExchange",
            ),
            Cloud::UsGovernment => (
                "https://login.microsoftonline.us",
                "https://management.usgovcloudapi.net",
                "https://management.usgovcloudapi.net/.default",
                "api://AzureADTokenExchangeUSGov",
            ),
            Cloud::China => (
                "https://login.partner.microsoftonline.cn",
                "https://management.chinacloudapi.cn",
                "https://management.chinacloudapi.cn/.default",
                "api://AzureADTokenExchangeChina",
            ),
        };
        Ok(Place {
            authority: address("AZURE_AUTHORITY_HOST", overrides.authority, authority)?,
            manager: address("azure-resource-manager-url", overrides.manager, manager)?,
            scope,
            audience: overrides.audience.unwrap_or(audience).to_owned(),
        })
    }
}

/// What was given, else `default`. Secrets are sent there, so that it must be https.
fn address(name: &str, given: Option<&str>, default: &str) -> Result<Url, Failure> {
    let text = given.unwrap_or(default);
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host());
    url.ok_or_else(|| {
        Failure::usage(format!("`{name}` is no https URL: {text}"), format!("write it as {default}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_is_somewhere_of_its_own() {
        let mut seen = Vec::new();
        for cloud in [Cloud::Public, Cloud::UsGovernment, Cloud::China] {
            let place = cloud.place(Overrides::default()).unwrap();
            assert_eq!(format!("{}.default", place.manager), place.scope, "{cloud:?}");
            seen.extend([place.authority.to_string(), place.manager.to_string(), place.audience]);
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((seen.len(), all), (9, 9));
    }

    #[test]
    fn overrides() {
        let given = Overrides {
            authority: Some("https://login.contoso.com"),
            manager: Some("https://arm.contoso.com"),
            audience: Some("api://own"),
        };
        let place = Cloud::China.place(given).unwrap();
        assert_eq!(place.authority.as_str(), "https://login.contoso.com/");
        assert_eq!(place.manager.as_str(), "https://arm.contoso.com/");
        assert_eq!(
            (&*place.audience, place.scope),
            ("api://own", "https://management.chinacloudapi.cn/.default")
        );
        for bad in ["http://127.0.0.1:1", "contoso.com", "file:///etc", ""] {
            let failure = Cloud::Public.place(Overrides { authority: Some(bad), ..Overrides::default() });
            assert!(failure.unwrap_err().reason().contains("AZURE_AUTHORITY_HOST"), "{bad}");
        }
    }
}
