//! How repositories are reached: one TLS set-up, and tokens that go only where they belong.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::clock::Clock;
use super::git::{GitError, Limits, Remote, Remotes, Secret};
use super::github::{App, Client, Endpoints, Github, Patience, Repo};
use super::http::{Http, TIMEOUT};
use super::runner::Runner;
use super::tokens::{Given, NoToken, Token, Tokens};
use crate::cli::{self, AccessArgs};
use crate::exit::Failure;
use crate::publish::Mode;

/// The network, with what is needed to be let in.
pub(crate) struct Access {
    /// GitHub's API
    pub(crate) github: Github,
    /// Which token belongs where
    pub(crate) tokens: Arc<Tokens>,
    /// Requests to others than GitHub
    pub(crate) http: Http,
    /// The time
    pub(crate) clock: Arc<dyn Clock>,
    remotes: Remotes,
}

impl Access {
    /// What the arguments allow, for a control plane in `repository`. Has the runner hide every secret.
    pub(crate) fn new(
        arguments: &AccessArgs,
        runner: &Runner,
        repository: Option<&Repo>,
        clock: Arc<dyn Clock>,
    ) -> Result<Access, Failure> {
        let text = |secret: &'_ Option<cli::Secret>| secret.as_ref().map(|it| it.expose().to_owned());
        let (github, gitops, repos, key) = (
            text(&arguments.github_token),
            text(&arguments.gitops_token),
            text(&arguments.repo_tokens),
            text(&arguments.app_private_key),
        );
        let system = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()).map(PathBuf::from);
        let roots: Vec<PathBuf> = arguments.ca_bundle.iter().cloned().chain(system).collect();
        let http = Http::new(&roots, TIMEOUT)?;
        let remotes = Remotes::new(http.tls(), Limits::default())
            .map_err(|error| Failure::world(error, "check the proxies in HTTPS_PROXY and HTTP_PROXY"))?;
        let client = Arc::new(Client::new(http.clone(), clock.clone(), Patience::default()));
        let endpoints = Endpoints {
            server: runner.server.clone(),
            api: runner.api.clone(),
            graphql: runner.graphql.clone(),
        };
        let announce = runner.announcer();
        let app = arguments
            .app_id
            .as_deref()
            .zip(key.as_deref())
            .map(|(id, key)| App::new(client.clone(), &runner.api, id, key, announce));
        let given = Given {
            github_token: github.as_deref(),
            gitops_token: gitops.as_deref(),
            repo_tokens: repos.as_deref(),
        };
        let tokens = Arc::new(Tokens::new(given, &runner.server, repository, app.transpose()?)?);
        tokens.all().iter().for_each(|token| runner.mask(token.expose()));
        Ok(Access { github: Github::new(client, endpoints, tokens.clone()), tokens, http, clock, remotes })
    }

    /// Makes sure, before anything is asked, that there is a token to write to these repositories with.
    pub(crate) fn check_writable(&self, urls: &[Url], mode: Mode) -> Result<(), Failure> {
        for url in urls {
            match self.tokens.token(url) {
                Ok(None) if mode == Mode::Write => {
                    let text = format!("no token is given for the GitOps repository {url}");
                    let help = "give one with --gitops-token (contents, pull requests and issues: write), \
                                or use --dry-run or --out";
                    return Err(Failure::usage(text, help));
                }
                Ok(_) => {}
                Err(refused @ NoToken::OnlyTheWorkflows) => {
                    let help = "give a token of its own with gitops-token (also if it is a GitHub App's), or an App with app-id and app-private-key";
                    return Err(Failure::usage(format!("{url}: {refused}"), help));
                }
                Err(NoToken::App(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Asks the repository at `url` something.
    pub(crate) fn ask<T>(
        &self,
        url: &Url,
        question: impl FnOnce(&Remote<'_>) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        let token = |url: &Url| match self.tokens.token(url) {
            Ok(token) => Ok(token.as_ref().map(Token::expose).map(Secret::new)),
            Err(refused) => Err(refused.to_string()),
        };
        question(&self.remotes.at(url, &token))
    }
}
