//! `/api/v1/publishers`: runs of continuous integration that may publish to a repository without a stored secret.

use actix_web::{HttpRequest, HttpResponse, web};

use super::convert::wrong;
use super::permissions::Where;
use super::{Failure, Paging, State, caller, created, done, json, read, somebody};
use crate::api::{NewPublisher, Page, Publisher};
use crate::auth::{Admin, IssuerUrl, PublisherId, PublisherRule};
use crate::index::publishers::StoredPublisher;
use crate::registry::{self, Error, Refusal};

/// The publishers of a repository, in the order they were made. For who may administer it.
#[utoipa::path(
    get, path = "/api/v1/publishers", operation_id = "list_publishers",
    params(Where, Paging),
    responses(
        (status = 200, body = Page<Publisher>),
        (status = 403, description = "The caller may not administer the repository."),
    )
)]
pub(super) async fn list(
    request: HttpRequest,
    place: web::Query<Where>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let permit = place.permit_to_look(&request, &state)?;
        let listed = state.registry.publishers(&permit, paging.after(), paging.length()?).await?;
        let items = listed.items.into_iter().map(publisher).collect::<Result<_, _>>()?;
        Ok(Page { items, next: listed.next })
    };
    json(&request, found.await)
}

/// Lets runs with these claims publish to a repository, which need not exist. For who may administer it.
#[utoipa::path(
    post, path = "/api/v1/publishers", operation_id = "create_publisher",
    request_body(content = NewPublisher, example = json!({"repository": "acme/writer", "issuer": "https://ci.example.com", "claims": {"repository_id": "4711"}})),
    responses(
        (status = 201, body = Publisher),
        (status = 409, description = "There is such a publisher, or the repository has as many as it may have."),
    )
)]
pub(super) async fn create(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let made = async {
        let caller = caller(&request, &state)?;
        let wanted: NewPublisher = read(&request, payload, &state).await?;
        let permit = state.registry.authorise(&caller, Admin, &wanted.repository)?;
        let issuer: IssuerUrl = wanted.issuer.parse().map_err(wrong)?;
        let rule = PublisherRule::new(issuer.as_str().to_owned(), wanted.repository, wanted.claims).map_err(wrong)?;
        let written = serde_json::to_vec(&rule).map_err(wrong)?;
        let (issuer, selector) = (rule.issuer().to_owned(), rule.selector());
        let new = registry::NewPublisher { issuer, selector, rule: written.into() };
        publisher(state.registry.add_publisher(&permit, new).await?)
    };
    created(&request, made.await)
}

/// Takes a publisher away; what it was given ends at once. For who may administer the repository.
#[utoipa::path(
    delete, path = "/api/v1/publishers/{id}", operation_id = "remove_publisher",
    params(("id" = i64, Path, description = "The number of the publisher, as lists show it.", minimum = 1, example = 1)),
    responses(
        (status = 204),
        (status = 404, description = "No such publisher of a repository that the caller may administer."),
    )
)]
pub(super) async fn remove(request: HttpRequest, id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let removed = async {
        let caller = somebody(&request, &state)?;
        let number = id.parse().map(PublisherId::new);
        let id = number.map_err(|_| Failure::Parameter("a publisher is named by its number".to_owned()))?;
        let unknown = || Error::from(Refusal::UnknownPublisher(id));
        let found = state.registry.publisher(id).await?.ok_or_else(unknown)?;
        // Which repository a number belongs to is not for everybody to know.
        let permit = state.registry.authorise(&caller, Admin, &found.repository).map_err(|error| match error {
            Error::Denied(_) => unknown(),
            other => other,
        })?;
        Ok(state.registry.remove_publisher(&permit, id).await?)
    };
    done(&request, removed.await)
}

fn publisher(stored: StoredPublisher) -> Result<Publisher, Failure> {
    let rule: PublisherRule =
        serde_json::from_slice(&stored.rule).map_err(|error| Error::RuleDamaged(stored.repository.clone(), error))?;
    Ok(Publisher {
        id: stored.id.get(),
        repository: stored.repository,
        issuer: stored.issuer,
        claims: rule.claims().clone(),
        created_by: stored.created_by,
        created_at: stored.created_at,
        last_used_at: stored.last_used_at,
    })
}
