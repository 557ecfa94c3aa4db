//! `/api/v1/tag-rules`: which tags of a repository never move, and who may move others.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use super::permissions::Place;
use super::words::{grantee, repository, wrong};
use super::{Failure, State, caller, json, nothing, read, reading};
use crate::api::{MAX_TAG_RULES, TagRule, TagRuleKind, TagRules};
use crate::auth::{self, Admin, Movers, Pull, Push};

/// The paths of this file.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1/tag-rules", reading().to(list))
        .route("/api/v1/tag-rules", web::put().to(replace))
        .route("/api/v1/tag-rules", web::delete().to(clear));
}

#[derive(OpenApi)]
#[openapi(paths(list, replace, clear))]
pub(super) struct Document;

/// The rules for a repository's tags, which name people. For who may push to it.
#[utoipa::path(
    get, path = "/api/v1/tag-rules", params(Place),
    responses((status = 200, body = TagRules), (status = 404, description = "No such repository."))
)]
async fn list(request: HttpRequest, place: web::Query<Place>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let (caller, name) = (caller(&request, &state)?, repository(&place.repository)?);
        let permit = state.registry.authorise(&caller, Pull, &name)?;
        state.registry.authorise(&caller, Push, &name)?;
        let rules = state.registry.tag_rules(&permit).await?;
        Ok(TagRules { rules: rules.iter().map(written).collect() })
    };
    json(&request, found.await)
}

/// Sets all rules for a repository's tags. For who may administer it.
#[utoipa::path(
    put, path = "/api/v1/tag-rules", params(Place), request_body = TagRules,
    responses((status = 200, body = TagRules), (status = 404, description = "No such repository."))
)]
async fn replace(
    request: HttpRequest,
    place: web::Query<Place>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let replaced = async {
        let (caller, name) = (caller(&request, &state)?, repository(&place.repository)?);
        let wanted: TagRules = read(&request, payload, &state).await?;
        if wanted.rules.len() > MAX_TAG_RULES {
            return Err(Failure::Parameter(format!("a repository has at most {MAX_TAG_RULES} rules for its tags")));
        }
        let rules = wanted.rules.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let permit = state.registry.authorise(&caller, Admin, &name)?;
        state.registry.set_tag_rules(&permit, &rules).await?;
        Ok(wanted)
    };
    json(&request, replaced.await)
}

/// Removes all rules for a repository's tags. For who may administer it.
#[utoipa::path(
    delete, path = "/api/v1/tag-rules", params(Place),
    responses((status = 204, description = "Tags move freely now."), (status = 404, description = "No such repository."))
)]
async fn clear(request: HttpRequest, place: web::Query<Place>, state: web::Data<State>) -> HttpResponse {
    let cleared = async {
        let permit = state.registry.authorise(&caller(&request, &state)?, Admin, &repository(&place.repository)?)?;
        Ok(state.registry.set_tag_rules(&permit, &[]).await?)
    };
    nothing(&request, cleared.await)
}

fn parse(rule: &TagRule) -> Result<auth::TagRule, Failure> {
    let is_plain = rule.level.is_none() && rule.grantees.is_empty();
    let kind = match (rule.kind, rule.level) {
        (TagRuleKind::Immutable, _) if is_plain => auth::TagRuleKind::Immutable,
        (TagRuleKind::Immutable, _) => {
            let nobody = format!("nobody moves immutable tags: rule `{}` must name no level and nobody", rule.pattern);
            return Err(Failure::Parameter(nobody));
        }
        (TagRuleKind::Restricted, Some(level)) if rule.grantees.is_empty() => {
            auth::TagRuleKind::Restricted(Movers::Level(level.into()))
        }
        (TagRuleKind::Restricted, Some(_)) => {
            let either = format!("rule `{}` must name either a level or those who may move the tags", rule.pattern);
            return Err(Failure::Parameter(either));
        }
        (TagRuleKind::Restricted, None) => {
            let movers = rule.grantees.iter().map(grantee).collect::<Result<_, _>>()?;
            auth::TagRuleKind::Restricted(Movers::Grantees(movers))
        }
    };
    auth::TagRule::new(rule.pattern.parse().map_err(wrong)?, kind).map_err(wrong)
}

fn written(rule: &auth::TagRule) -> TagRule {
    let (kind, level) = match rule.kind() {
        auth::TagRuleKind::Immutable => (TagRuleKind::Immutable, None),
        auth::TagRuleKind::Restricted(Movers::Level(level)) => (TagRuleKind::Restricted, Some((*level).into())),
        auth::TagRuleKind::Restricted(Movers::Grantees(_)) => (TagRuleKind::Restricted, None),
    };
    let grantees = rule.grantees().iter().map(Into::into).collect();
    TagRule { pattern: rule.pattern().to_string(), kind, level, grantees }
}
