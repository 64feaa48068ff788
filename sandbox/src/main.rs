//! Starts the sandbox with the example platform in it.

use anyhow::Result;
use kalypso_sandbox::{Access, Level, Sandbox, Scope, platform};

/// The port that it listens on, so that what was exported stays right over restarts.
const PORT: u16 = 7990;

fn main() -> Result<()> {
    let sandbox = Sandbox::start_on(PORT).or_else(|_| Sandbox::start())?;
    platform::create(&sandbox)?;
    let workflow = Access::read("contoso/control-plane").and("contoso/applications");
    sandbox.token("ghs_workflow", workflow.with(Scope::Statuses, Level::Write));
    sandbox.token("github_pat_gitops", Access::write("contoso/gitops").named("contoso-robot"));
    sandbox.token("github_pat_ada", Access::write_all_of("contoso").named("ada"));
    print!("{}", guide(&sandbox));
    sandbox.run_until_interrupted()?;
    for violation in sandbox.violations() {
        eprintln!("{violation}");
    }
    Ok(())
}

/// What to export, and what to try.
fn guide(sandbox: &Sandbox) -> String {
    let (url, api, graphql) = (sandbox.url(), sandbox.api_url(), sandbox.graphql_url());
    let host = url.trim_start_matches("http://");
    format!(
        "\
The example platform is at {url}. Ctrl-C ends it, and everything in it is gone.

  export GITHUB_SERVER_URL={url}
  export GITHUB_API_URL={api}
  export GITHUB_GRAPHQL_URL={graphql}

Check out the environment as Ada would, who may write everywhere, and schedule it:

  git clone -b dev http://ada:github_pat_ada@{host}/contoso/control-plane
  kalypso schedule --environment dev --control-plane control-plane \\
    --control-plane-repo contoso/control-plane --github-token ghs_workflow \\
    --repo-tokens {url}/contoso/applications=ghs_workflow --gitops-token github_pat_gitops

What came of it:

  curl -s -H 'Authorization: Bearer github_pat_ada' -H 'X-GitHub-Api-Version: 2022-11-28' \\
    {api}/repos/contoso/gitops/pulls
  git clone -b deployment/dev http://ada:github_pat_ada@{host}/contoso/gitops
"
    )
}
