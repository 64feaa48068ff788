//! A GitHub App's tokens: one for every owner that installed it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use super::client::{Call, Client, OnTimeout, Style};
use super::endpoint;
use super::error::{Error, Kind};
use super::operation::{FIND_INSTALLATION, MINT_TOKEN, Operation};
use super::repo::Repo;
use crate::exit::Failure;
use crate::world::clock::point_in_time;
use crate::world::tokens::Token;

/// GitHub's clock may be behind ours.
const SKEW: Duration = Duration::from_secs(60);

/// GitHub takes ten minutes at most.
const JWT_LIFE: Duration = Duration::from_secs(9 * 60);

/// A token is renewed so long before it ends, so that no request meets its end.
const RENEWAL: Duration = Duration::from_secs(5 * 60);

/// Is told of every secret as soon as it is known, before it is used.
pub(crate) type Announce = Arc<dyn Fn(&Token) + Send + Sync>;

/// Mints tokens as a GitHub App.
pub(crate) struct App {
    client: Arc<Client>,
    api: Url,
    id: String,
    key: RsaKeyPair,
    pem: Token,
    announce: Announce,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_owner: BTreeMap<String, Minted>,
    without: BTreeSet<Repo>,
}

#[derive(Clone, Deserialize)]
struct Minted {
    token: Token,
    #[serde(deserialize_with = "point_in_time")]
    expires_at: SystemTime,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

impl App {
    /// The App with the id (or client id) `id` and the private key `pem`, as GitHub gave it.
    pub(crate) fn new(
        client: Arc<Client>,
        api: &Url,
        id: &str,
        pem: &str,
        announce: Announce,
    ) -> Result<App, Failure> {
        // A secret that was pasted as one line holds `\n` in place of line ends.
        let pem = Token::secret(&pem.replace("\\n", "\n"));
        announce(&pem);
        let key = key(pem.expose()).map_err(|reason| {
            Failure::usage(
                format!("`app-private-key` cannot be used: {reason}"),
                "give the private key in PEM form, as GitHub made it for the App",
            )
        })?;
        let (api, id) = (api.clone(), id.trim().to_owned());
        Ok(App { client, api, id, key, pem, announce, known: Mutex::default() })
    }

    /// A token for the repository, if the App is installed there. It is good for all of the owner's.
    ///
    /// One thread mints at a time, the others wait and find it made.
    pub(crate) fn token(&self, repo: &Repo) -> Result<Option<Token>, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = repo.owner.to_lowercase();
        if let Some(minted) = known.by_owner.get(&owner).filter(|minted| minted.lasts(self.client.now())) {
            return Ok(Some(minted.token.clone()));
        }
        if known.without.contains(repo) {
            return Ok(None);
        }
        let installation: Installation = match self.call(
            &FIND_INSTALLATION,
            repo,
            Method::GET,
            &["repos", &repo.owner, &repo.name, "installation"],
        ) {
            Ok(installation) => installation,
            Err(error) if *error.kind() == Kind::NotFound => {
                known.without.insert(repo.clone());
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let id = installation.id.to_string();
        let minted: Minted =
            self.call(&MINT_TOKEN, repo, Method::POST, &["app", "installations", &id, "access_tokens"])?;
        (self.announce)(&minted.token);
        let token = minted.token.clone();
        known.by_owner.insert(owner, minted);
        Ok(Some(token))
    }

    /// The private key and the tokens made so far.
    pub(crate) fn secrets(&self) -> Vec<Token> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let minted = known.by_owner.values().map(|minted| minted.token.clone());
        std::iter::once(self.pem.clone()).chain(minted).collect()
    }

    fn call<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        repo: &Repo,
        method: Method,
        path: &[&str],
    ) -> Result<T, Error> {
        let token = self.jwt().map_err(|said| Error::new(operation, repo, Kind::NoToken, &said))?;
        let call = Call {
            operation,
            repo,
            method,
            url: endpoint(&self.api, path, &[]),
            body: None,
            token: Some(token),
            style: Style::Rest,
            on_timeout: OnTimeout::Repeat,
        };
        self.client.call(&call).map(|reply| reply.value)
    }

    fn jwt(&self) -> Result<Token, String> {
        let now = self.client.now();
        let seconds =
            |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let claims = json!({ "iat": seconds(now - SKEW), "exp": seconds(now + JWT_LIFE), "iss": self.id });
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let head = encode(json!({ "alg": "RS256", "typ": "JWT" }).to_string().as_bytes());
        let signed = format!("{head}.{}", encode(claims.to_string().as_bytes()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "the request cannot be signed with `app-private-key`".to_owned())?;
        Ok(Token::secret(&format!("{signed}.{}", encode(&signature))))
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Minted {
    fn lasts(&self, now: SystemTime) -> bool {
        self.expires_at.duration_since(now).is_ok_and(|left| left > RENEWAL)
    }
}

fn key(pem: &str) -> Result<RsaKeyPair, String> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| error.to_string())?;
    let pair = match &der {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err("it is no RSA key".to_owned()),
    };
    pair.map_err(|error| format!("it is no RSA key of 2048 bits or more ({error})"))
}

#[cfg(test)]
mod tests {
    use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    use super::super::fake::{FakeClock, START, Server, answer, client, repo};
    use super::*;
    use crate::world::tokens::Token;

    // Made for these tests, used nowhere else. One key in both forms.
    const PKCS1: &str = "\
-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEA0PNfuJTiOwJVXcy4FH7NFy8WD2r6bpELg64AOPyIymtG7FLA
lqTKH+KW+jywrsFy9uDe+IbwbTNh667I849hm+BKK7mG96vbexonjlxkgyzwSLHs
eQpKWZIx7utPcSYUjVXNusDf5OeD2sXwFPoNSZv3xgwWV4uhyzYlzk0LEyWMChN2
MHxlC6krn3mtYTjCDpwSJAPDU4XcoCnkWSLUjFvI/6KSzcV29pY5ehdYsSgQDKp7
89Ia491h9MlXbr6swtYCzvM7a597Fy1EriBAtDGgl+Hx9kA7Un2AGyYfbOphHEwv
QHfWAdI0kMsf10IlEB39RIvkbYxZmb8iIpCB6wIDAQABAoIBABB00nmdlDG0jdec
23SVxf5I8ZJWSRHzL3Z3+kGCth1HFKdhHxTeNqMLO/vKUtn4l17VOApXylC3ZsNi
mSYBiVz27bCC5JvV96u61Bm0sh/YprX6+VZRFqj2SCN6ed+98YluFA1cymVjTHGq
/C0SwoAlHf8Fja7oat4vzgtw6unfewolYsKNaPeRcRLZm0xqCRSEcAkIIXvwZQtN
sU0kl46G5jPQhOkNfz7IW8nIc4m8xf4Myt9zPRzWxg6N5IoEUzucta5vjGCSHj81
fZ8NZIUjMYDUzsKJyg7gSiCMf4mEi4wkRMFu2wBFnNvBbYq6C3R9eK/F2c9slBOP
d8NlopUCgYEA/7jln3g0S/Hbr9r63mZuLk7sZ49kY29+M10FmnR/SXHNxbuRQ+Xi
uyqxZ78QEiTqWdokPiWCKQMh9NV/L99oETuWzw5gwM6H3X3OdWL5eWw9ZCmcn11n
cNuV9K+dDekwG65X12EETQIe7nfvhjWspI99JUKyFawSifN53RQoWkUCgYEA0S14
4poEt91ySmDYE9htmyLhm+BTXWhJ+XoosppFnqOyAm/aBSZolXF/EMM5mgMJn1dp
QVcSvODpTz97M8pRKgbEIo8vnVnjIAzlpnjnqVKIWnxkC0hlft5ypFnfUKbpzsHP
Gaq/eRJRlYjpBsON54pgwSFkrYlJbaMRvwZAxm8CgYEA/3P5DoDJ3UPSLa4XBaxV
TLVSu3Em2544955pRo4xyXCCGpDw4F75S/euGPFoYHe4E+IyalKV39pdRXMxBuWp
0+0vDdBTHsgyOTS/1cv1YzKZcUGQUDLCbp8tAa2cupTDliNnZKRp43PG6nmtMOjV
ed5NKbeipruqGVy70/mbBfECgYBNiyTgJCaRnqcqyYHwwW/IbgLizSM6YlniARYr
N6ONbrOj0aEp/ZYRqHRpW2X0ISIlDrt3PHc2y83R0f+zMFIsWTvGb/w/wb2/+Of9
cZ63l1/y42AXCqyNfptTL/noJShRvGkw46p9kHvsCkgQeNgXOKYrklyHNHijCyud
/AxxQwKBgGgPckkE1ahkM253KY80I/OhrTiQBYCTG2j2HHgFDJ2sk4v+F2TQ7VaR
jZjtYVcT9O3BeeAl0NrGCGrZriN5vg4rlqLnnfnXpr/j5PmSpJfKDRHpyKyTnVBI
KllNYKV8Uaz8gDoHuDga/xpTzkVZG+raT2XmD6e0E/I+NmE/jS28
-----END RSA PRIVATE KEY-----";
    const PKCS8: &str = "\
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDQ81+4lOI7AlVd
zLgUfs0XLxYPavpukQuDrgA4/IjKa0bsUsCWpMof4pb6PLCuwXL24N74hvBtM2Hr
rsjzj2Gb4EoruYb3q9t7GieOXGSDLPBIsex5CkpZkjHu609xJhSNVc26wN/k54Pa
xfAU+g1Jm/fGDBZXi6HLNiXOTQsTJYwKE3YwfGULqSufea1hOMIOnBIkA8NThdyg
KeRZItSMW8j/opLNxXb2ljl6F1ixKBAMqnvz0hrj3WH0yVduvqzC1gLO8ztrn3sX
LUSuIEC0MaCX4fH2QDtSfYAbJh9s6mEcTC9Ad9YB0jSQyx/XQiUQHf1Ei+RtjFmZ
vyIikIHrAgMBAAECggEAEHTSeZ2UMbSN15zbdJXF/kjxklZJEfMvdnf6QYK2HUcU
p2EfFN42ows7+8pS2fiXXtU4ClfKULdmw2KZJgGJXPbtsILkm9X3q7rUGbSyH9im
tfr5VlEWqPZII3p5373xiW4UDVzKZWNMcar8LRLCgCUd/wWNruhq3i/OC3Dq6d97
CiViwo1o95FxEtmbTGoJFIRwCQghe/BlC02xTSSXjobmM9CE6Q1/PshbychzibzF
/gzK33M9HNbGDo3kigRTO5y1rm+MYJIePzV9nw1khSMxgNTOwonKDuBKIIx/iYSL
jCREwW7bAEWc28FtiroLdH14r8XZz2yUE493w2WilQKBgQD/uOWfeDRL8duv2vre
Zm4uTuxnj2Rjb34zXQWadH9Jcc3Fu5FD5eK7KrFnvxASJOpZ2iQ+JYIpAyH01X8v
32gRO5bPDmDAzofdfc51Yvl5bD1kKZyfXWdw25X0r50N6TAbrlfXYQRNAh7ud++G
Naykj30lQrIVrBKJ83ndFChaRQKBgQDRLXjimgS33XJKYNgT2G2bIuGb4FNdaEn5
eiiymkWeo7ICb9oFJmiVcX8QwzmaAwmfV2lBVxK84OlPP3szylEqBsQijy+dWeMg
DOWmeOepUohafGQLSGV+3nKkWd9QpunOwc8Zqr95ElGViOkGw43nimDBIWStiUlt
oxG/BkDGbwKBgQD/c/kOgMndQ9ItrhcFrFVMtVK7cSbbnjj3nmlGjjHJcIIakPDg
XvlL964Y8Whgd7gT4jJqUpXf2l1FczEG5anT7S8N0FMeyDI5NL/Vy/VjMplxQZBQ
MsJuny0BrZy6lMOWI2dkpGnjc8bqea0w6NV53k0pt6Kmu6oZXLvT+ZsF8QKBgE2L
JOAkJpGepyrJgfDBb8huAuLNIzpiWeIBFis3o41us6PRoSn9lhGodGlbZfQhIiUO
u3c8dzbLzdHR/7MwUixZO8Zv/D/Bvb/45/1xnreXX/LjYBcKrI1+m1Mv+eglKFG8
aTDjqn2Qe+wKSBB42Bc4piuSXIc0eKMLK538DHFDAoGAaA9ySQTVqGQzbncpjzQj
86GtOJAFgJMbaPYceAUMnayTi/4XZNDtVpGNmO1hVxP07cF54CXQ2sYIatmuI3m+
DiuWoued+demv+Pk+ZKkl8oNEenIrJOdUEgqWU1gpXxRrPyAOge4OBr/GlPORVkb
6tpPZeYPp7QT8j42YT+NLbw=
-----END PRIVATE KEY-----";
    const ED25519: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJIimvUu0mmX9/8wmM0s8u1gAiOzAb8eYTsXPQaBifEP
-----END PRIVATE KEY-----";

    fn app(server: &Server, clock: &Arc<FakeClock>, announced: &Arc<Mutex<Vec<String>>>) -> App {
        let announced = Arc::clone(announced);
        let announce: Announce =
            Arc::new(move |token: &Token| announced.lock().unwrap().push(token.expose().to_owned()));
        App::new(Arc::new(client(clock)), &server.endpoints().api, "4711", PKCS1, announce).unwrap()
    }

    fn minted(token: &str, minutes: u64) -> String {
        let ends = SystemTime::UNIX_EPOCH + Duration::from_secs(START + 60 * minutes);
        let ends = jiff::Timestamp::try_from(ends).unwrap().to_string();
        answer(201, &[], &json!({ "token": token, "expires_at": ends, "permissions": {} }).to_string())
    }

    #[test]
    fn one_token_for_every_owner_renewed_before_it_ends() {
        let installed = |id: u64| answer(200, &[], &json!({ "id": id }).to_string());
        let answers = vec![
            installed(1),
            minted("ghs_one", 60),
            installed(2),
            minted("ghs_two", 60),
            installed(1),
            minted("ghs_three", 120),
            answer(404, &[], "{}"),
        ];
        let (server, clock, announced) = (Server::new(answers), FakeClock::new(), Arc::default());
        let app = app(&server, &clock, &announced);
        let token =
            |repo: &str| app.token(&Repo::new(repo).unwrap()).unwrap().map(|token| token.expose().to_owned());
        assert_eq!(token("contoso/gitops").as_deref(), Some("ghs_one"));
        assert_eq!(token("Contoso/app").as_deref(), Some("ghs_one"), "the same owner");
        assert_eq!(token("fabrikam/app").as_deref(), Some("ghs_two"), "another owner");
        clock.pass(Duration::from_secs(54 * 60));
        assert_eq!(token("contoso/gitops").as_deref(), Some("ghs_one"), "it lasts");
        clock.pass(Duration::from_secs(60));
        assert_eq!(token("contoso/gitops").as_deref(), Some("ghs_three"), "it would end soon");
        assert_eq!(token("evil/app"), None, "not installed there");
        assert_eq!(token("evil/app"), None, "not asked again");
        let announced = announced.lock().unwrap();
        assert_eq!(announced[1..], ["ghs_one", "ghs_two", "ghs_three"]);
        assert!(announced[0].starts_with("-----BEGIN RSA"));
        let lines: Vec<String> = server.seen().into_iter().map(|seen| seen.line).collect();
        assert_eq!(lines[0], "GET /api/v3/repos/contoso/gitops/installation");
        assert_eq!(lines[1], "POST /api/v3/app/installations/1/access_tokens");
        assert_eq!(lines.len(), 7);
        assert!(!format!("{app:?}").contains("PRIVATE"));
    }

    #[test]
    fn requests_are_signed() {
        let (server, clock) = (Server::new(vec![answer(404, &[], "{}")]), FakeClock::new());
        let app = app(&server, &clock, &Arc::default());
        assert!(app.token(&repo()).unwrap().is_none());
        let head = server.seen()[0].head.clone();
        let jwt = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap();
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let public = key(PKCS8).unwrap().public_key().as_ref().to_vec();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        public.verify(signed.as_bytes(), &decode(signature)).unwrap();
        let claims: Value = serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap();
        assert_eq!(claims, json!({ "iat": START - 60, "exp": START + 540, "iss": "4711" }));
    }

    #[test]
    fn keys() {
        let pasted = PKCS1.replace('\n', "\\n");
        for (pem, want, why) in [
            (PKCS1, None, "GitHub's form"),
            (PKCS8, None, "the other usual form"),
            (&*pasted, None, "pasted as one line"),
            (ED25519, Some("it is no RSA key"), "another algorithm"),
            ("", Some("`app-private-key` cannot be used"), "nothing"),
            ("SHA256:abc", Some("`app-private-key` cannot be used"), "the fingerprint"),
        ] {
            let (server, clock) = (Server::new(vec![]), FakeClock::new());
            let announce: Announce = Arc::new(|_| {});
            let made = App::new(Arc::new(client(&clock)), &server.url, "1", pem, announce);
            match (made, want) {
                (Ok(_), None) => {}
                (Err(failure), Some(want)) => {
                    assert!(failure.reason().contains(want), "{why}: {}", failure.reason());
                    assert!(pem.is_empty() || !failure.reason().contains(pem), "{why}");
                }
                (Ok(_), Some(_)) => panic!("{why}: taken"),
                (Err(failure), None) => panic!("{why}: {}", failure.reason()),
            }
        }
    }
}
