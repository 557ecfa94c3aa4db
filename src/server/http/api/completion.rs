//! What every operation of the description has in common, said once: groups, credentials, problems, and headers.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::server::Server;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, Content, OpenApi, Ref, RefOr, Response};
use utoipa::{Modify, PartialSchema as _, ToSchema as _};

use super::Problem;
use crate::api::DEFAULT_PAGE_LENGTH;
use crate::api::texts::VersionReference;
use crate::oci::RepositoryName;

/// Groups of operations: the beginning of their paths below the root, the longest that fits; name and description.
const GROUPS: [(&str, &str, &str); 14] = [
    ("", REGISTRY, "What this registry is, and this description."),
    ("/packages", PACKAGES, "Find agents and their versions, resolve ranges, say what is said of a version."),
    ("/events", EVENTS, "What happened, in one order, as far as the caller may see it."),
    ("/repositories", REPOSITORIES, "What repositories hold, who may do what with them, and rules about their tags."),
    ("/permissions", REPOSITORIES, ""),
    ("/tag-rules", REPOSITORIES, ""),
    ("/publishers", "Publishers", "Runs of continuous integration that may publish without a stored secret."),
    ("/me", SIGN_IN, "Who the caller is, signing in, and access tokens."),
    ("/login", SIGN_IN, ""),
    ("/oidc", SIGN_IN, ""),
    ("/tokens", SIGN_IN, ""),
    ("/users", PEOPLE, "Users, organisations and their teams."),
    ("/organisations", PEOPLE, ""),
    ("/accounts", PEOPLE, ""),
];

const REGISTRY: &str = "Registry";
const PACKAGES: &str = "Packages";
const EVENTS: &str = "Events";
const REPOSITORIES: &str = "Repositories";
const SIGN_IN: &str = "Credentials";
const PEOPLE: &str = "People";

/// Groups of which everybody may read what is public.
const OPEN: [&str; 3] = [REGISTRY, PACKAGES, EVENTS];

/// The group of what only administrators do.
const ADMINISTRATION: (&str, &str) = ("Administration", "For administrators: backups, search, keys, and the audit.");

/// Beginnings of paths of that group.
const ADMINISTRATIVE: [&str; 2] = ["/admin", "/audit"];

/// Where every path begins.
const ROOT: &str = "/api/v1";

/// The type of problems.
const PROBLEM_TYPE: &str = "application/problem+json";

/// Completes the description that the operations themselves make.
pub(super) struct Completion;

impl Modify for Completion {
    fn modify(&self, openapi: &mut OpenApi) {
        openapi.servers = Some(vec![Server::new("/")]);
        openapi.tags = Some(groups());
        openapi.security = Some(["bearer", "basic"].map(credential).into());
        let components = openapi.components.get_or_insert_with(Components::new);
        add_credentials(components);
        add_common_answers(components);
        components.schemas.insert("Problem".to_owned(), Problem::schema());
        let components = components.clone();
        for (path, item) in &mut openapi.paths.paths {
            for (method, operation) in operations(item) {
                complete(path, method, operation, &components);
            }
        }
    }
}

/// The operations of a path, each with its method.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", item.get.as_mut()),
        ("put", item.put.as_mut()),
        ("post", item.post.as_mut()),
        ("delete", item.delete.as_mut()),
        ("patch", item.patch.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?)))
}

fn groups() -> Vec<utoipa::openapi::Tag> {
    let described = GROUPS.into_iter().filter(|(_, _, about)| !about.is_empty());
    let all = described.map(|(_, name, about)| (name, about)).chain([ADMINISTRATION]);
    all.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build()).collect()
}

/// The group of a path.
fn group(path: &str) -> &'static str {
    let path = path.strip_prefix(ROOT).unwrap_or(path);
    if ADMINISTRATIVE.iter().any(|start| path.starts_with(start)) {
        return ADMINISTRATION.0;
    }
    let fitting = GROUPS.into_iter().filter(|(start, ..)| path.starts_with(start));
    fitting.max_by_key(|(start, ..)| start.len()).map_or(REGISTRY, |(_, name, _)| name)
}

fn credential(name: &str) -> SecurityRequirement {
    SecurityRequirement::new(name, Vec::<String>::new())
}

fn add_credentials(components: &mut Components) {
    let http = |scheme, about| HttpBuilder::new().scheme(scheme).description(Some(about)).build();
    let bearer = http(
        HttpAuthScheme::Bearer,
        "An access token (`agr_…`, made by `POST /api/v1/login`, `POST /api/v1/tokens` or `agent token create`), or a \
         short token of `/token`.",
    );
    let basic = http(HttpAuthScheme::Basic, "A user's name with an access token as the password; never the password.");
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("basic", SecurityScheme::Http(basic));
}

fn complete(path: &str, method: &str, operation: &mut Operation, components: &Components) {
    operation.tags = Some(vec![group(path).to_owned()]);
    sum_up(operation);
    if method == "get" && OPEN.contains(&group(path)) && operation.security.is_none() {
        operation.security = Some(vec![SecurityRequirement::default(), credential("bearer"), credential("basic")]);
    }
    for parameter in operation.parameters.iter_mut().flatten().filter_map(present) {
        if let Some(schema) = well_known(&parameter.name) {
            parameter.schema = Some(schema);
        }
        if parameter.description.is_none() {
            parameter.description = parameter.schema.as_ref().and_then(|schema| about(schema, components));
        }
    }
    for (status, answer) in common_answers(path, method, operation) {
        let reference = RefOr::Ref(Ref::from_response_name(answer));
        operation.responses.responses.entry(status.to_owned()).or_insert(reference);
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            finish(method, status, response, components);
        }
    }
}

/// Makes the first sentence the summary, and what follows the description.
fn sum_up(operation: &mut Operation) {
    let said = operation.summary.take().unwrap_or_default().replace('\n', " ");
    let (first, rest) = match said.split_once(". ") {
        Some((first, rest)) => (format!("{first}."), rest.to_owned()),
        None => (said, String::new()),
    };
    let more = operation.description.take().unwrap_or_default();
    let description = [rest, more].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
    operation.summary = Some(first);
    operation.description = Some(description).filter(|text| !text.is_empty());
}

/// What parameters of these names are, wherever they are.
fn well_known(name: &str) -> Option<RefOr<Schema>> {
    let named = |name: std::borrow::Cow<'_, str>| Some(RefOr::Ref(Ref::from_schema_name(name)));
    match name {
        "repository" => named(RepositoryName::name()),
        "version" => named(VersionReference::name()),
        "limit" => {
            let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
            Some(number.default(Some(DEFAULT_PAGE_LENGTH.into())).examples([10]).build().into())
        }
        _ => None,
    }
}

/// Answers that many operations give: status, name, and what it means.
const COMMON: [(&str, &str, &str); 11] = [
    ("304", "Unchanged", "What `If-None-Match` names is still so."),
    ("400", "Wrong", "A parameter or the body is wrong; `detail` says which, and what is allowed."),
    ("401", "Unauthenticated", "The credential is wrong or has ended, or one is needed."),
    ("403", "Denied", "The caller is known, and may not do this."),
    ("404", "Missing", "There is no such thing, or none that the caller may see."),
    ("408", "Stalled", "The body paused for too long."),
    ("413", "TooLarge", "The body is larger than 64 KiB."),
    ("415", "OtherType", "The body is of another type than `application/json`."),
    ("429", "TooMany", "Too many attempts to sign in have failed; `Retry-After` says when to come back."),
    ("500", "Failed", "The registry failed; its log says why under the id of the request."),
    ("507", "Full", "The registry is out of space; nothing was stored."),
];

fn add_common_answers(components: &mut Components) {
    for (status, name, about) in COMMON {
        let mut response = Response::new(about);
        finish("", status, &mut response, &Components::new());
        components.responses.insert(name.to_owned(), response.into());
    }
}

/// Those that an operation of its kind may give, by status.
fn common_answers(path: &str, method: &str, operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let has_body = operation.request_body.is_some();
    let mut parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    let takes_something = has_body || parameters.clone().next().is_some();
    let is_about_something =
        parameters.any(|parameter| parameter.parameter_in == ParameterIn::Path || parameter.name == "repository");
    // Where nobody has to sign in there are no accounts.
    let may_miss = is_about_something || !OPEN.contains(&group(path));
    let gives = |status: &str| match status {
        "304" => method == "get",
        "400" => takes_something,
        "403" | "507" => method != "get",
        "404" => may_miss,
        "408" | "413" | "415" => has_body,
        _ => true,
    };
    COMMON.into_iter().filter(|(status, ..)| gives(status)).map(|(status, name, _)| (status, name)).collect()
}

/// Gives an answer what it does not say itself.
fn finish(method: &str, status: &str, response: &mut Response, components: &Components) {
    if status.starts_with(['4', '5']) {
        let problem = RefOr::Ref(Ref::from_schema_name("Problem"));
        response.content.entry(PROBLEM_TYPE.to_owned()).or_insert_with(|| Content::new(Some(problem)).into());
    }
    if response.description.is_empty() {
        let body = response.content.values().find_map(|content| match content {
            RefOr::T(content) => content.schema.as_ref(),
            RefOr::Ref(_) => None,
        });
        let told = body.and_then(|schema| about(schema, components));
        response.description = told.unwrap_or_else(|| "It is done.".to_owned());
    }
    if method == "get" && status == "200" {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let about = "Names this answer: shown as `If-None-Match`, it spares sending the same again.";
        let tag = HeaderBuilder::new().schema(Some(text)).description(Some(about)).build();
        response.headers.insert("ETag".to_owned(), tag.into());
    }
}

/// What a schema says of itself.
fn about(schema: &RefOr<Schema>, components: &Components) -> Option<String> {
    let schema = match schema {
        RefOr::Ref(reference) => {
            if !reference.description.is_empty() {
                return Some(reference.description.clone());
            }
            let name = reference.ref_location.rsplit('/').next()?;
            return components.schemas.get(name).and_then(|schema| about(schema, components));
        }
        RefOr::T(schema) => schema,
    };
    match schema {
        Schema::Object(object) => object.description.clone(),
        Schema::OneOf(either) => either.description.clone(),
        Schema::AllOf(all) => all.description.clone(),
        Schema::AnyOf(any) => any.description.clone(),
        _ => None,
    }
}

fn present<T>(value: &mut RefOr<T>) -> Option<&mut T> {
    match value {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}
