//! GitHub Apps and the tokens that are minted for them.

use serde_json::{Value, json};

use super::{Asker, Call};
use crate::reply::{Answer, Refusal, Reply};
use crate::tokens::{App, Grant, Level, Scope};

pub(super) fn installation(call: &mut Call<'_>) -> Answer {
    let owner = call.repo()?.owner.clone();
    let app = installed(call, |app| app.owner.eq_ignore_ascii_case(&owner))?;
    let (api, installation) = (call.api(), app.installation);
    Ok(Reply::ok(json!({
        "access_tokens_url": format!("{api}/app/installations/{installation}/access_tokens"),
        "account": call.user(&app.owner),
        "app_id": app.id,
        "app_slug": app.slug,
        "created_at": call.github.now().to_string(),
        "events": [],
        "html_url": format!("{}/organizations/{}/settings/installations/{installation}", call.github.url, app.owner),
        "id": installation,
        "permissions": permissions(&Grant::of_app(&app, call.github.now())),
        "repositories_url": format!("{api}/installation/repositories"),
        "repository_selection": "all",
        "single_file_name": null,
        "suspended_at": null,
        "suspended_by": null,
        "target_id": app.installation,
        "target_type": "Organization",
        "updated_at": call.github.now().to_string(),
    })))
}

pub(super) fn access_token(call: &mut Call<'_>) -> Answer {
    let installation = call.parameter("installation_id").to_owned();
    let app = installed(call, |app| app.installation.to_string() == installation)?;
    let grant = Grant::of_app(&app, call.github.now());
    let (permissions, expires) = (permissions(&grant), grant.expires().map(|at| at.to_string()));
    let token = format!("ghs_sandbox{:029}", call.github.next_id());
    call.github.grants.insert(token.clone(), grant);
    Ok(Reply::created(json!({
        "token": token,
        "expires_at": expires,
        "permissions": permissions,
        "repository_selection": "all",
    })))
}

/// That installation of the App that asks.
fn installed(call: &Call<'_>, is_it: impl Fn(&App) -> bool) -> Result<App, Refusal> {
    let Asker::App(asks) = &call.asker else {
        return Err(Refusal::new(401, "A JSON web token could not be decoded"));
    };
    let mut found = call.github.apps.iter().filter(|app| app.id == asks.id && is_it(app));
    found.next().cloned().ok_or_else(Refusal::not_found)
}

fn permissions(grant: &Grant) -> Value {
    let levels = Scope::ALL.into_iter().map(|scope| (scope, grant.level(scope)));
    let given = levels.filter(|(_, level)| *level != Level::None);
    Value::Object(given.map(|(scope, level)| (scope.name().to_owned(), level.name().into())).collect())
}
