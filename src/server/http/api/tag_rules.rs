//! `/api/v1/tag-rules`: which tags of a repository never move, and who may move the others.

use actix_web::{HttpRequest, HttpResponse, web};

use super::convert::{grantee, wrong};
use super::permissions::Where;
use super::{Failure, State, caller, done, json, read};
use crate::api::{self, MAX_TAG_RULES, TagRules};
use crate::auth::{self, Movers, Pull, Push, TagRule};

/// The rules about a repository's tags, which name people: for who may push.
#[utoipa::path(
    get, path = "/api/v1/tag-rules", operation_id = "show_tag_rules",
    params(Where),
    responses(
        (status = 200, body = TagRules),
        (status = 403, description = "The caller may not push to the repository."),
    )
)]
pub(super) async fn list(request: HttpRequest, place: web::Query<Where>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let (caller, name) = (caller(&request, &state)?, place.name()?);
        let permit = state.registry.authorise(&caller, Pull, &name)?;
        state.registry.authorise(&caller, Push, &name)?;
        let rules = state.registry.tag_rules(&permit).await?;
        Ok(TagRules { rules: rules.iter().map(told).collect() })
    };
    json(&request, found.await)
}

/// Sets all rules about a repository's tags.
#[utoipa::path(
    put, path = "/api/v1/tag-rules", operation_id = "set_tag_rules",
    params(Where),
    request_body(content = TagRules, example = json!({"rules": [{"pattern": "semver", "kind": "immutable"}, {"pattern": "latest", "kind": "restricted", "level": "admin"}]})),
    responses(
        (status = 200, body = TagRules),
    )
)]
pub(super) async fn set(
    request: HttpRequest,
    place: web::Query<Where>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let set = async {
        let permit = place.permit(&request, &state)?;
        let wanted: TagRules = read(&request, payload, &state).await?;
        if wanted.rules.len() > MAX_TAG_RULES {
            return Err(Failure::Parameter(format!("a repository has at most {MAX_TAG_RULES} rules for its tags")));
        }
        let rules = wanted.rules.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        state.registry.set_tag_rules(&permit, &rules).await?;
        Ok(TagRules { rules: rules.iter().map(told).collect() })
    };
    json(&request, set.await)
}

/// Takes all rules about a repository's tags away.
#[utoipa::path(
    delete, path = "/api/v1/tag-rules", operation_id = "clear_tag_rules",
    params(Where),
    responses(
        (status = 204),
    )
)]
pub(super) async fn clear(request: HttpRequest, place: web::Query<Where>, state: web::Data<State>) -> HttpResponse {
    let cleared = async {
        let permit = place.permit(&request, &state)?;
        Ok(state.registry.set_tag_rules(&permit, &[]).await?)
    };
    done(&request, cleared.await)
}

fn told(rule: &TagRule) -> api::TagRule {
    let (kind, level) = match rule.kind() {
        auth::TagRuleKind::Immutable => (api::TagRuleKind::Immutable, None),
        auth::TagRuleKind::Restricted(Movers::Level(level)) => (api::TagRuleKind::Restricted, Some((*level).into())),
        auth::TagRuleKind::Restricted(Movers::Grantees(_)) => (api::TagRuleKind::Restricted, None),
    };
    let grantees = rule.grantees().iter().map(Into::into).collect();
    api::TagRule { pattern: rule.pattern().as_str().to_owned(), kind, level, grantees }
}

fn rule(wanted: &api::TagRule) -> Result<TagRule, Failure> {
    let kind = match (wanted.kind, wanted.level, wanted.grantees.as_slice()) {
        (api::TagRuleKind::Immutable, None, []) => auth::TagRuleKind::Immutable,
        (api::TagRuleKind::Immutable, ..) => {
            return Err(Failure::Parameter(
                "an immutable tag moves for nobody: leave `level` and `grantees` away".to_owned(),
            ));
        }
        (api::TagRuleKind::Restricted, Some(level), []) => auth::TagRuleKind::Restricted(Movers::Level(level.into())),
        (api::TagRuleKind::Restricted, None, [_, ..]) => {
            let grantees = wanted.grantees.iter().map(grantee).collect::<Result<Vec<_>, _>>()?;
            auth::TagRuleKind::Restricted(Movers::Grantees(grantees))
        }
        (api::TagRuleKind::Restricted, ..) => {
            return Err(Failure::Parameter("a restricted tag needs either `level` or `grantees`".to_owned()));
        }
    };
    TagRule::new(wanted.pattern.parse().map_err(wrong)?, kind).map_err(wrong)
}
