//! `agent login`: try a credential, and keep it where this program and its neighbours look for it.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::error::Error;
use super::listing::dry;
use super::oidc;
use super::printer::Format;
use super::prompt;
use super::registries::Registries;
use crate::api::{ACCESS_TOKEN_PREFIX, Login as PasswordLogin, Me, NewToken, Secret};
use crate::client::Catalogue;
use crate::remote::{self, Credential, Endpoint, Kept, Remote, SignIn, docker_helper, keep_docker_credential};

/// Largest answer about the caller in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// The user name beside a token where one must stand; registries look at the token alone.
const TOKEN_USER: &str = "token";
/// Digits of an access token of the reference tool.
const HEX_TOKEN_LENGTH: usize = 64;

/// Sign in to a registry
///
/// The credential is tried first, and kept only if the registry takes it. A password for a registry of this program is
/// exchanged for an access token, which is kept instead.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent login registry.example.com --username ada\n  \
                        agent login --token-stdin < token.txt\n  agent login registry.example.com --oidc")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Login {
    /// Host or address of the registry; by default that of names without a host
    #[arg(value_name = "REGISTRY")]
    host: Option<String>,

    /// User; not needed with a token for a registry of this program
    #[arg(long, short, value_name = "NAME", alias = "user")]
    username: Option<String>,

    /// Read the password, or a token in its place, from stdin
    #[arg(long, requires = "username")]
    password_stdin: bool,

    /// Read an access token from stdin
    #[arg(long, conflicts_with = "password_stdin")]
    token_stdin: bool,

    /// Sign in with a browser, at the issuer of this name that the registry trusts, or at its only one
    #[arg(long, value_name = "ISSUER", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[arg(conflicts_with_all = ["username", "password_stdin", "token_stdin"])]
    oidc: Option<String>,

    /// The browser is on another machine: a code is to be typed there
    #[arg(long, requires = "oidc")]
    device: bool,

    /// Where to keep it; by default in the profile of this registry, where there is one, else as docker does
    #[arg(long, value_enum, value_name = "PLACE")]
    store: Option<Place>,

    /// Try it, and keep nothing
    #[arg(long)]
    dry_run: bool,
}

/// Where a credential can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Place {
    /// In the profile of this registry
    Profile,
    /// As docker does: with the helper that its config.json names, else in config.json
    Docker,
    /// With the helper that docker's config.json names, or not at all
    Helper,
}

/// What was entered, and what came of it.
struct SignedIn {
    user: Option<String>,
    secret: String,
    /// Whether the registry is one of this program, which knows its users by their tokens.
    is_ours: bool,
    answer: SignIn,
}

#[derive(Serialize)]
struct Report {
    registry: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// Whether anybody looked at the credential.
    checked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_in: Option<String>,
    dry_run: bool,
}

pub(super) async fn login(context: &Context, arguments: &Login) -> Result<(), Error> {
    let registries = Registries::load(context)?;
    let endpoint = registries.endpoint(arguments.host.as_deref())?;
    let place = Chosen::of(context, &endpoint, arguments.store)?;
    let signed_in = if let Some(issuer) = &arguments.oidc {
        let Some(signed_in) = sign_in(&registries, &endpoint, arguments, issuer).await? else {
            return dry(context, &endpoint.to_string(), &format!("sign in to {endpoint} with a browser"));
        };
        signed_in
    } else {
        let (user, secret) = enter(arguments, &endpoint).await?;
        try_out(&registries, &endpoint, user, secret, arguments.dry_run).await?
    };
    if context.global.token_variable.as_ref().is_some_and(|token| !token.expose().is_empty()) {
        context.printer.note("note: AGENT_REGISTRY_TOKEN is set, and goes before what is kept");
    }
    let kept = if arguments.dry_run { None } else { Some(place.keep(context, &endpoint, &signed_in)?) };
    report(context, &endpoint, &signed_in, kept, arguments.dry_run)
}

/// User and secret, from stdin or the terminal.
async fn enter(arguments: &Login, endpoint: &Endpoint) -> Result<(Option<String>, String), Error> {
    let user = arguments.username.clone().filter(|user| !user.is_empty());
    if arguments.password_stdin || arguments.token_stdin {
        return Ok((user, prompt::from_stdin()?));
    }
    let user = if user.is_some() {
        user
    } else {
        let typed = prompt::line(&format!("User at {} (empty for a token): ", endpoint.host())).await?;
        Some(typed.trim().to_owned()).filter(|user| !user.is_empty())
    };
    let label = if user.is_some() { "Password or token: " } else { "Token: " };
    Ok((user, prompt::secret(label).await?))
}

async fn try_out(
    registries: &Registries<'_>,
    endpoint: &Endpoint,
    user: Option<String>,
    secret: String,
    dry_run: bool,
) -> Result<SignedIn, Error> {
    let failed = |error| Error::of_client(error, endpoint);
    let stranger = registries.connect_as(endpoint, None)?;
    let catalogue = Catalogue::detect(&stranger).await.map_err(failed)?;
    let is_ours = catalogue.is_some_and(|catalogue| catalogue.info().authentication);
    if let Some(user) = user.as_ref().filter(|_| is_ours && !is_token(&secret) && !dry_run) {
        let made = exchange(&stranger, user, secret).await.map_err(|error| failed(error.into()))?;
        let secret = made.token.expose().to_owned();
        return Ok(SignedIn { user: Some(made.details.user), secret, is_ours, answer: SignIn::Accepted });
    }
    let credential = match &user {
        Some(user) if !(is_ours && is_token(&secret)) => {
            Credential::Basic { user: user.clone(), password: secret.clone() }
        }
        _ => Credential::Token(secret.clone()),
    };
    let remote = registries.connect_as(endpoint, Some(credential))?;
    let answer = remote.sign_in().await.map_err(|error| failed(error.into()))?;
    let known = if is_ours { name_of(&remote).await.map_err(|error| failed(error.into()))? } else { None };
    Ok(SignedIn { user: known.or(user), secret, is_ours, answer })
}

/// With a browser; `None` when nothing was to be done.
async fn sign_in(
    registries: &Registries<'_>,
    endpoint: &Endpoint,
    arguments: &Login,
    issuer: &str,
) -> Result<Option<SignedIn>, Error> {
    let remote = registries.connect_as(endpoint, None)?;
    let wanted = oidc::Wanted { issuer, is_elsewhere: arguments.device, dry_run: arguments.dry_run };
    let made = oidc::sign_in(&remote, &wanted).await?;
    Ok(made.map(|(user, token)| {
        let secret = token.expose().to_owned();
        SignedIn { user, secret, is_ours: true, answer: SignIn::Accepted }
    }))
}

/// Whether a secret has the form of an access token.
fn is_token(secret: &str) -> bool {
    secret.starts_with(ACCESS_TOKEN_PREFIX)
        || secret.len() == HEX_TOKEN_LENGTH && secret.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A password is shown once, here, and never kept. A registry that repeats it is not repeated.
async fn exchange(remote: &Remote, user: &str, password: String) -> Result<NewToken, remote::Error> {
    let name = Some(format!("{} login", env!("CARGO_PKG_NAME")));
    let secret = Secret::new(password.clone());
    let wanted = PasswordLogin { user: user.to_owned(), password: secret, name, expires: None };
    let made = remote.post_json("/api/v1/login", &wanted, MAX_ANSWER_BYTES).await;
    made.map_err(|error| match error {
        remote::Error::Refused(mut refusal) => {
            refusal.blot(&password);
            remote::Error::Refused(refusal)
        }
        other => other,
    })
}

async fn name_of(remote: &Remote) -> Result<Option<String>, remote::Error> {
    Ok(remote.get_json::<Me>("/api/v1/me", MAX_ANSWER_BYTES).await?.map(|me| me.name))
}

/// Where this credential will be kept, found out before it is asked for.
enum Chosen {
    Profile(String),
    Docker,
}

impl Chosen {
    fn of(context: &Context, endpoint: &Endpoint, asked: Option<Place>) -> Result<Self, Error> {
        let profile = profile_of(context, endpoint)?;
        match (asked, profile) {
            (Some(Place::Profile) | None, Some(name)) => Ok(Self::Profile(name)),
            (Some(Place::Profile), None) => Err(Error::NoProfile { endpoint: Some(Box::new(endpoint.clone())) }),
            (Some(Place::Docker) | None, _) => Ok(Self::Docker),
            (Some(Place::Helper), _) => {
                let file = context.docker_file().ok_or(Error::NoHome)?;
                match docker_helper(&file, endpoint.host())? {
                    Some(_) => Ok(Self::Docker),
                    None => Err(Error::NoHelper(Box::new(endpoint.clone()))),
                }
            }
        }
    }

    /// Keeps it, and names the place.
    fn keep(&self, context: &Context, endpoint: &Endpoint, signed_in: &SignedIn) -> Result<String, Error> {
        match self {
            Self::Profile(name) => {
                let mut settings = context.settings()?;
                // A registry of this program knows the user by the token; to others the name must be said.
                let user = signed_in.user.clone().filter(|_| !signed_in.is_ours);
                settings.put(name, &[("pat", Some(signed_in.secret.clone())), ("user", user)]);
                settings.save()?;
                Ok(format!("profile {name} ({})", context.shown(settings.path())))
            }
            Self::Docker => {
                let file = context.docker_file().ok_or(Error::NoHome)?;
                let user = signed_in.user.as_deref().unwrap_or(TOKEN_USER);
                Ok(shown(context, &keep_docker_credential(&file, endpoint.host(), user, &signed_in.secret)?))
            }
        }
    }
}

/// The profile of a registry: the one in use, if it is that registry's.
pub(super) fn profile_of(context: &Context, endpoint: &Endpoint) -> Result<Option<String>, Error> {
    let settings = context.settings()?;
    let chosen = settings.choose(context.global.profile.as_deref())?;
    let is_for =
        |registry: &str| Endpoint::parse(registry, context.global.plain_http).is_ok_and(|own| own == *endpoint);
    Ok(chosen.filter(|(_, profile)| is_for(&profile.registry)).map(|(name, _)| name.to_owned()))
}

/// A place as people know it.
pub(super) fn shown(context: &Context, kept: &Kept) -> String {
    match kept {
        Kept::Helper(program) => program.clone(),
        Kept::File(file) => context.shown(file),
    }
}

fn report(
    context: &Context,
    endpoint: &Endpoint,
    signed_in: &SignedIn,
    kept_in: Option<String>,
    dry_run: bool,
) -> Result<(), Error> {
    let checked = signed_in.answer == SignIn::Accepted;
    if context.printer.format != Format::Table {
        let (registry, user) = (endpoint.to_string(), signed_in.user.clone());
        return context.printer.json(&Report { registry, user, checked, kept_in, dry_run });
    }
    let who = signed_in.user.as_ref().map(|user| format!(" as {user}")).unwrap_or_default();
    if checked {
        context.printer.done(&format!("signed in to {endpoint}{who}"));
    } else {
        context.printer.note(&format!("{endpoint} asks nobody for a credential, so this one could not be tried"));
    }
    match kept_in {
        Some(place) => context.printer.note(&format!("kept in {place}")),
        None => context.printer.note("nothing was kept"),
    }
    Ok(())
}
