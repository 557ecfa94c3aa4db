//! Who gets which answer from which operation: one table, in which every operation has a row.

use std::collections::BTreeSet;

use agent_registry::oci::Route;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::Answer;
use crate::stage::{Ask, COLUMNS, KINDS, Stage};

/// An operation: the label of a route under `/v2/`, or method and path of the REST API; what it is tried on: the
/// repositories of an organisation by what they are, or something else where it matters; and the status for each of
/// [`COLUMNS`].
#[rustfmt::skip]
const TABLE: &str = "
operation                                                         | on                 | anon strg memb read writ admn ownr root
ping                                                              | -                  | 401  200  200  200  200  200  200  200
catalog                                                           | -                  | 401  200  200  200  200  200  200  200
tags                                                              | private            | 401  404  404  200  200  200  200  200
tags                                                              | org                | 401  404  200  200  200  200  200  200
tags                                                              | public             | 200  200  200  200  200  200  200  200
referrers                                                         | private            | 401  404  404  200  200  200  200  200
referrers                                                         | org                | 401  404  200  200  200  200  200  200
referrers                                                         | public             | 200  200  200  200  200  200  200  200
manifest_get                                                      | private            | 401  404  404  200  200  200  200  200
manifest_get                                                      | org                | 401  404  200  200  200  200  200  200
manifest_get                                                      | public             | 200  200  200  200  200  200  200  200
manifest_head                                                     | private            | 401  404  404  200  200  200  200  200
manifest_head                                                     | org                | 401  404  200  200  200  200  200  200
manifest_head                                                     | public             | 200  200  200  200  200  200  200  200
manifest_put                                                      | private org public | 401  403  403  403  201  201  201  201
manifest_delete                                                   | private org public | 401  403  403  403  403  202  202  202
blob_get                                                          | private            | 401  404  404  200  200  200  200  200
blob_get                                                          | org                | 401  404  200  200  200  200  200  200
blob_get                                                          | public             | 200  200  200  200  200  200  200  200
blob_head                                                         | private            | 401  404  404  200  200  200  200  200
blob_head                                                         | org                | 401  404  200  200  200  200  200  200
blob_head                                                         | public             | 200  200  200  200  200  200  200  200
blob_delete                                                       | private org public | 401  403  403  403  403  202  202  202
upload_start                                                      | private org public | 401  403  403  403  202  202  202  202
upload_start                                                      | mount              | 401  202  202  201  201  201  201  201
upload_status                                                     | private org public | 401  403  403  403  204  204  204  204
upload_chunk                                                      | private org public | 401  403  403  403  202  202  202  202
upload_finish                                                     | private org public | 401  403  403  403  201  201  201  201
upload_cancel                                                     | private org public | 401  403  403  403  204  204  204  204
GET /api/v1                                                       | -                  | 200  200  200  200  200  200  200  200
GET /api/v1/me                                                    | -                  | 401  200  200  200  200  200  200  200
POST /api/v1/login                                                | -                  | 201  201  201  201  201  201  201  201
POST /api/v1/oidc/token                                           | -                  | 404  404  404  404  404  404  404  404
GET /api/v1/events                                                | -                  | 200  200  200  200  200  200  200  200
GET /api/v1/packages                                              | -                  | 200  200  200  200  200  200  200  200
GET /api/v1/packages/{repository}                                 | private            | 401  404  404  200  200  200  200  200
GET /api/v1/packages/{repository}                                 | org                | 401  404  200  200  200  200  200  200
GET /api/v1/packages/{repository}                                 | public             | 200  200  200  200  200  200  200  200
GET /api/v1/packages/{repository}/versions                        | private            | 401  404  404  200  200  200  200  200
GET /api/v1/packages/{repository}/versions                        | org                | 401  404  200  200  200  200  200  200
GET /api/v1/packages/{repository}/versions                        | public             | 200  200  200  200  200  200  200  200
GET /api/v1/packages/{repository}/resolve                         | private            | 401  404  404  200  200  200  200  200
GET /api/v1/packages/{repository}/resolve                         | org                | 401  404  200  200  200  200  200  200
GET /api/v1/packages/{repository}/resolve                         | public             | 200  200  200  200  200  200  200  200
GET /api/v1/packages/{repository}/versions/{version}              | private            | 401  404  404  200  200  200  200  200
GET /api/v1/packages/{repository}/versions/{version}              | org                | 401  404  200  200  200  200  200  200
GET /api/v1/packages/{repository}/versions/{version}              | public             | 200  200  200  200  200  200  200  200
PUT /api/v1/packages/{repository}/versions/{version}/deprecation  | private org public | 401  403  403  403  200  200  200  200
DELETE /api/v1/packages/{repository}/versions/{version}/deprecation | private org public | 401  403  403  403  200  200  200  200
PUT /api/v1/packages/{repository}/versions/{version}/yank         | private org public | 401  403  403  403  200  200  200  200
DELETE /api/v1/packages/{repository}/versions/{version}/yank      | private org public | 401  403  403  403  200  200  200  200
PUT /api/v1/packages/{repository}/deprecation                     | private org public | 401  403  403  403  200  200  200  200
DELETE /api/v1/packages/{repository}/deprecation                  | private org public | 401  403  403  403  200  200  200  200
GET /api/v1/packages/{repository}/downloads                       | private            | 401  404  404  200  200  200  200  200
GET /api/v1/packages/{repository}/downloads                       | org                | 401  404  200  200  200  200  200  200
GET /api/v1/packages/{repository}/downloads                       | public             | 200  200  200  200  200  200  200  200
GET /api/v1/packages/{repository}/rating                          | private            | 401  404  404  200  200  200  200  200
GET /api/v1/packages/{repository}/rating                          | org                | 401  404  200  200  200  200  200  200
GET /api/v1/packages/{repository}/rating                          | public             | 401  200  200  200  200  200  200  200
PUT /api/v1/packages/{repository}/rating                          | private            | 401  404  404  200  200  200  200  200
PUT /api/v1/packages/{repository}/rating                          | org                | 401  404  200  200  200  200  200  200
PUT /api/v1/packages/{repository}/rating                          | public             | 401  200  200  200  200  200  200  200
DELETE /api/v1/packages/{repository}/rating                       | private            | 401  404  404  204  204  204  204  204
DELETE /api/v1/packages/{repository}/rating                       | org                | 401  404  204  204  204  204  204  204
DELETE /api/v1/packages/{repository}/rating                       | public             | 401  204  204  204  204  204  204  204
GET /api/v1/packages/{repository}/ratings                         | private            | 401  404  404  200  200  200  200  200
GET /api/v1/packages/{repository}/ratings                         | org                | 401  404  200  200  200  200  200  200
GET /api/v1/packages/{repository}/ratings                         | public             | 200  200  200  200  200  200  200  200
DELETE /api/v1/packages/{repository}/ratings/{user}               | private org public | 401  403  403  403  403  204  204  204
GET /api/v1/repositories/{repository}                             | private            | 401  404  404  200  200  200  200  200
GET /api/v1/repositories/{repository}                             | org                | 401  404  200  200  200  200  200  200
GET /api/v1/repositories/{repository}                             | public             | 200  200  200  200  200  200  200  200
PUT /api/v1/repositories/{repository}                             | private org public | 401  403  403  403  403  200  200  200
PUT /api/v1/repositories/{repository}                             | new                | 401  403  403  403  403  403  201  201
GET /api/v1/permissions                                           | private            | 401  404  404  403  403  200  200  200
GET /api/v1/permissions                                           | org                | 401  404  403  403  403  200  200  200
GET /api/v1/permissions                                           | public             | 401  403  403  403  403  200  200  200
PUT /api/v1/permissions                                           | private org public | 401  403  403  403  403  200  200  200
DELETE /api/v1/permissions                                        | private org public | 401  403  403  403  403  204  204  204
GET /api/v1/permissions/explain                                   | private org public | 401  403  403  403  403  200  200  200
GET /api/v1/tag-rules                                             | private            | 401  404  404  403  200  200  200  200
GET /api/v1/tag-rules                                             | org                | 401  404  403  403  200  200  200  200
GET /api/v1/tag-rules                                             | public             | 401  403  403  403  200  200  200  200
PUT /api/v1/tag-rules                                             | private org public | 401  403  403  403  403  200  200  200
DELETE /api/v1/tag-rules                                          | private org public | 401  403  403  403  403  204  204  204
GET /api/v1/publishers                                            | private            | 401  404  404  403  403  200  200  200
GET /api/v1/publishers                                            | org                | 401  404  403  403  403  200  200  200
GET /api/v1/publishers                                            | public             | 401  403  403  403  403  200  200  200
POST /api/v1/publishers                                           | private org public | 401  403  403  403  403  201  201  201
DELETE /api/v1/publishers/{id}                                    | private org public | 401  404  404  404  404  204  204  204
GET /api/v1/users                                                 | -                  | 401  403  403  403  403  403  403  200
POST /api/v1/users                                                | -                  | 401  403  403  403  403  403  403  201
GET /api/v1/users/{name}                                          | another            | 401  404  404  404  404  404  404  200
GET /api/v1/users/{name}                                          | oneself            | 401  200  200  200  200  200  200  200
DELETE /api/v1/users/{name}                                       | another            | 401  403  403  403  403  403  403  200
PUT /api/v1/users/{name}/password                                 | another            | 401  403  403  403  403  403  403  204
PUT /api/v1/users/{name}/password                                 | oneself            | 401  204  204  204  204  204  204  204
PUT /api/v1/users/{name}/administrator                            | another            | 401  403  403  403  403  403  403  204
GET /api/v1/users/{name}/identities                               | another            | 401  404  404  404  404  404  404  200
GET /api/v1/users/{name}/identities                               | oneself            | 401  200  200  200  200  200  200  200
PUT /api/v1/users/{name}/identities                               | another            | 401  403  403  403  403  403  403  201
PUT /api/v1/users/{name}/identities                               | oneself            | 401  403  403  403  403  403  403  201
DELETE /api/v1/users/{name}/identities                            | another            | 401  403  403  403  403  403  403  204
POST /api/v1/accounts/{name}/free                                 | another            | 401  403  403  403  403  403  403  204
GET /api/v1/organisations                                         | -                  | 401  200  200  200  200  200  200  200
POST /api/v1/organisations                                        | -                  | 401  201  201  201  201  201  201  201
GET /api/v1/organisations/{name}                                  | -                  | 401  404  200  404  404  404  200  200
PATCH /api/v1/organisations/{name}                                | -                  | 401  403  403  403  403  403  200  200
DELETE /api/v1/organisations/{name}                               | -                  | 401  403  403  403  403  403  200  200
GET /api/v1/organisations/{name}/members                          | -                  | 401  404  200  404  404  404  200  200
PUT /api/v1/organisations/{name}/members/{user}                   | another            | 401  403  403  403  403  403  204  204
DELETE /api/v1/organisations/{name}/members/{user}                | another            | 401  403  403  403  403  403  204  204
DELETE /api/v1/organisations/{name}/members/{user}                | oneself            | 401  204  204  204  204  204  204  204
GET /api/v1/organisations/{name}/teams                            | -                  | 401  404  200  404  404  404  200  200
POST /api/v1/organisations/{name}/teams                           | -                  | 401  403  403  403  403  403  201  201
GET /api/v1/organisations/{name}/teams/{team}                     | -                  | 401  404  200  404  404  404  200  200
PATCH /api/v1/organisations/{name}/teams/{team}                   | -                  | 401  403  403  403  403  403  200  200
DELETE /api/v1/organisations/{name}/teams/{team}                  | -                  | 401  403  403  403  403  403  204  204
GET /api/v1/organisations/{name}/teams/{team}/members             | -                  | 401  404  200  404  404  404  200  200
PUT /api/v1/organisations/{name}/teams/{team}/members/{user}      | -                  | 401  403  403  403  403  403  204  204
DELETE /api/v1/organisations/{name}/teams/{team}/members/{user}   | -                  | 401  403  403  403  403  403  204  204
GET /api/v1/tokens                                                | another            | 401  404  404  404  404  404  404  200
GET /api/v1/tokens                                                | oneself            | 401  200  200  200  200  200  200  200
POST /api/v1/tokens                                               | another            | 401  403  403  403  403  403  403  201
POST /api/v1/tokens                                               | oneself            | 401  201  201  201  201  201  201  201
DELETE /api/v1/tokens/{id}                                        | another            | 401  404  404  404  404  404  404  204
DELETE /api/v1/tokens/{id}                                        | oneself            | 401  204  204  204  204  204  204  204
POST /api/v1/tokens/{id}/rotate                                   | another            | 401  404  404  404  404  404  404  201
POST /api/v1/tokens/{id}/rotate                                   | oneself            | 401  201  201  201  201  201  201  201
GET /api/v1/audit                                                 | -                  | 401  403  403  403  403  403  403  200
POST /api/v1/admin/signing-keys/rotate                            | -                  | 401  403  403  403  403  403  403  201
GET /api/v1/admin/backup                                          | -                  | 401  403  403  403  403  403  403  404
POST /api/v1/admin/backup                                         | -                  | 401  403  403  403  403  403  403  202
";

/// One line of the table.
struct Row {
    operation: &'static str,
    on: Vec<&'static str>,
    statuses: Vec<u16>,
}

fn rows() -> Vec<Row> {
    let read = |line: &'static str| {
        let [operation, on, statuses] = line.split('|').collect::<Vec<_>>().try_into().unwrap();
        let statuses: Vec<_> = statuses.split_whitespace().map(|status| status.parse().unwrap()).collect();
        assert_eq!(statuses.len(), COLUMNS.len(), "{line}");
        Row { operation: operation.trim(), on: on.split_whitespace().collect(), statuses }
    };
    TABLE.lines().filter(|line| !line.is_empty()).skip(1).map(read).collect()
}

/// Every operation there is, from the code that serves it.
fn operations() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&agent_registry::server::openapi().unwrap()).unwrap();
    let mut all: BTreeSet<_> = Route::LABELS.iter().map(|label| (*label).to_owned()).collect();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete", "patch", "head", "options", "trace"] {
            if methods.get(method).is_some() {
                all.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    all
}

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let rows = rows();
    let known: BTreeSet<_> = rows.iter().map(|row| row.operation.to_owned()).collect();
    assert_eq!(known, operations());
    for operation in &known {
        let on: Vec<_> = rows.iter().filter(|row| row.operation == operation).flat_map(|row| row.on.clone()).collect();
        let some = KINDS.iter().any(|kind| on.contains(kind));
        assert!(!some || KINDS.iter().all(|kind| on.contains(kind)), "{operation} is tried on {on:?} only");
        assert_eq!(on.iter().collect::<BTreeSet<_>>().len(), on.len(), "{operation} is tried twice on one of {on:?}");
    }
}

#[tokio::test]
async fn everybody_gets_the_answer_of_the_table() {
    let stage = Stage::set().await;
    let mut wrong = vec![];
    for row in rows() {
        for on in &row.on {
            for (column, expected) in COLUMNS.iter().zip(&row.statuses) {
                let ask = request(&stage, row.operation, on, column).await;
                let answer = stage.send(column, &ask).await;
                let found = answer.status.as_u16();
                if found != *expected {
                    let text = String::from_utf8_lossy(&answer.body);
                    wrong.push(format!("{} on {on} as {column}: {found} instead of {expected}: {text}", row.operation));
                }
                if answer.status == 401 {
                    assert!(answer.header("www-authenticate").starts_with("Bearer realm="), "{}", row.operation);
                }
                restore(&stage, &ask, on).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{} cells differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn what_one_may_not_see_is_told_apart_from_nothing_by_nobody() {
    let stage = Stage::set().await;
    // What is there and hidden, and what is as long and not there.
    let hidden = [
        ("acme/private", "acme/missing"),
        ("organisations/acme", "organisations/nope"),
        ("users/bystander", "users/no-one-is"),
        ("user=bystander", "user=no-one-is"),
    ];
    let mut compared = 0;
    for row in rows() {
        for column in ["anonymous", "stranger", "member"] {
            let status = row.statuses[COLUMNS.iter().position(|known| *known == column).unwrap()];
            for on in row.on.iter().filter(|_| status >= 400) {
                let ask = request(&stage, row.operation, on, column).await;
                for (there, missing) in hidden {
                    // Members know their organisation.
                    if ask.about(there, missing).path == ask.path || (column == "member" && there.ends_with("/acme")) {
                        continue;
                    }
                    let (real, none) = (stage.send(column, &ask).await, ask.about(there, missing));
                    let none = stage.send(column, &none).await;
                    assert_eq!(seen(&real, "", ""), seen(&none, missing, there), "{} as {column}", row.operation);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 100, "only {compared} answers were compared");
}

#[tokio::test]
async fn lists_hold_what_one_may_see() {
    let stage = Stage::set().await;
    for (column, kinds) in COLUMNS.iter().zip([
        &["public"][..],
        &["public"],
        &["org", "public"],
        &["org", "private", "public"],
        &["org", "private", "public"],
        &["org", "private", "public"],
        &["org", "private", "public"],
        &["org", "private", "public"],
    ]) {
        let names: Vec<_> = kinds.iter().map(|kind| format!("acme/{kind}")).collect();
        if *column != "anonymous" {
            let ask = Ask::new(Method::GET, "/v2/_catalog", &Value::Null);
            assert_eq!(stage.send(column, &ask).await.json(), json!({"repositories": names}), "{column}");
        }
        let found = stage
            .send(column, &Ask::new(Method::GET, "/api/v1/packages?sort=name&fresh=true", &Value::Null))
            .await
            .json();
        let found: Vec<_> = found["items"].as_array().unwrap().iter().map(|item| item["repository"].clone()).collect();
        assert_eq!(found, names, "{column}");
    }
}

async fn request(stage: &Stage, operation: &str, on: &str, column: &str) -> Ask {
    if operation.contains(' ') {
        stage.rest(operation, on, column).await
    } else {
        stage.distribution(operation, on, column).await
    }
}

/// Takes back what the cells that follow would see.
async fn restore(stage: &Stage, ask: &Ask, on: &str) {
    let is_settled = ask.method == Method::PUT && ask.path.starts_with("/api/v1/repositories/");
    if is_settled && KINDS.contains(&on) {
        stage.administer(Method::PUT, &ask.path, &json!({"visibility": on})).await;
    }
    if ask.method == Method::PUT && ask.path.starts_with("/api/v1/permissions") {
        let path = format!("/api/v1/permissions?repository=acme/{on}&user=bystander");
        // Where the cell was denied, there is nothing to take back.
        stage.send("administrator", &Ask::new(Method::DELETE, path, &Value::Null)).await;
    }
}

/// All that an answer tells, with one name put in place of another; but for what names each request, and whether the
/// connection ends, which depends on how much of a body has come.
fn seen(answer: &Answer, name: &str, instead: &str) -> (u16, String, Vec<String>) {
    let rename = |text: &str| if name.is_empty() { text.to_owned() } else { renamed(text, name, instead) };
    let body = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(mut body) => {
            if let Some(fields) = body.as_object_mut() {
                fields.remove("request_id");
            }
            body.to_string()
        }
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let headers =
        answer.headers.iter().filter(|(name, _)| !["x-request-id", "date", "connection"].contains(&name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| rename(&format!("{name}: {}", value.to_str().unwrap()))).collect();
    headers.sort();
    (answer.status.as_u16(), rename(&body), headers)
}

/// Names stand alone in messages, where the request had them in a path.
fn renamed(text: &str, name: &str, instead: &str) -> String {
    let last = |text: &str| text.rsplit(['/', '=']).next().unwrap().to_owned();
    text.replace(name, instead).replace(&last(name), &last(instead))
}
