//! The description of the REST API: whole, unchanged, and a promise to those who wrote programs from it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::breaks::breaks;

/// Where the committed descriptions are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/spec-conformance");

/// What the code says.
pub(crate) fn document() -> Value {
    serde_json::from_str(&agent_registry::server::openapi().unwrap()).unwrap()
}

/// Every operation, with its method and path.
pub(crate) fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all =
        paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, it)| (method, path, it)));
    all.map(|(method, path, operation)| (method.as_str(), path.as_str(), operation)).collect()
}

/// What a value is, or what it refers to.
pub(crate) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("{place} is missing")),
        None => value,
    }
}

/// The value that stands for a parameter in an example; none where the example leaves it out.
pub(crate) fn example_of(document: &Value, parameter: &Value) -> Option<Value> {
    if parameter.get("example").is_some() || parameter["required"] != json!(true) {
        return parameter.get("example").cloned();
    }
    let schema = resolved(document, &parameter["schema"]);
    [schema.pointer("/examples/0"), schema.pointer("/enum/0")].into_iter().flatten().next().cloned()
}

/// What lacks in a description, each with its place.
fn gaps(document: &Value) -> Vec<String> {
    let mut gaps = vec![];
    let mut ids = BTreeSet::new();
    let groups: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (method, path, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let mut lacks = |is_there: bool, what: &str| {
            if !is_there {
                gaps.push(format!("{method} {path}: {what}"));
            }
        };
        lacks(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "no operation id");
        lacks(ids.insert(id.to_owned()), "its operation id is another's too");
        lacks(
            operation["summary"].as_str().is_some_and(|text| text.ends_with(['.', '?'])),
            "no whole sentence says what it does",
        );
        let tags = operation["tags"].as_array().cloned().unwrap_or_default();
        lacks(tags.len() == 1 && groups.contains(&&tags[0]), "it is in no described group");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            lacks(described(document, parameter), &format!("nothing describes the parameter {name}"));
            let is_needed = parameter["required"] == json!(true);
            lacks(!is_needed || example_of(document, parameter).is_some(), &format!("no example of {name}"));
            let is_in_path = path.contains(&format!("{{{name}}}"));
            lacks((parameter["in"] == "path") == is_in_path, &format!("{name} is not where it says it is"));
        }
        for (media_type, content) in operation.pointer("/requestBody/content").into_iter().flat_map(entries) {
            lacks(content.get("example").is_some(), &format!("no example of its body, {media_type}"));
        }
        for status in ["401", "429", "500"] {
            lacks(operation["responses"].get(status).is_some(), &format!("it does not say what {status} means"));
        }
        for (status, response) in entries(&operation["responses"]) {
            let response = resolved(document, response);
            lacks(described(document, response), &format!("nothing describes {status}"));
            let problem = response.pointer("/content/application~1problem+json/schema/$ref");
            let is_problem = problem.is_some_and(|name| name == "#/components/schemas/Problem");
            lacks(is_problem == status.starts_with(['4', '5']), &format!("{status} is no problem, or should be none"));
        }
    }
    gaps.extend(references(document).into_iter().filter(|place| document.pointer(&place[1..]).is_none()));
    let text = document.to_string();
    // Links in the code's own documentation lead nowhere in the description.
    gaps.extend(text.match_indices("[`").map(|(at, _)| format!("a link of the code: {}", excerpt(&text[at..]))));
    for (name, schema) in entries(&document["components"]["schemas"]) {
        if !described(document, schema) {
            gaps.push(format!("{name}: nothing describes it"));
        }
        for (property, schema) in schema.get("properties").into_iter().flat_map(entries) {
            if !described(document, schema) {
                gaps.push(format!("{name}: nothing describes {property}"));
            }
        }
    }
    gaps
}

/// Everything that is referred to.
fn references(value: &Value) -> BTreeSet<String> {
    let own = value["$ref"].as_str().map(str::to_owned);
    let inner: Vec<_> = match value {
        Value::Object(object) => object.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => vec![],
    };
    own.into_iter().chain(inner.into_iter().flat_map(references)).collect()
}

fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().unwrap().iter()
}

fn described(document: &Value, value: &Value) -> bool {
    let says = |value: &Value| value["description"].as_str().is_some_and(|text| !text.is_empty());
    let either =
        ["oneOf", "allOf"].into_iter().filter_map(|key| value.get(key)).flat_map(|list| list.as_array().unwrap());
    says(value) || (value.get("$ref").is_some() && says(resolved(document, value))) || either.into_iter().any(says)
}

#[test]
fn every_operation_is_described_whole() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(operations(&document).len() > 50);
    let gaps = gaps(&document);
    assert!(gaps.is_empty(), "the description has {} gaps:\n{}", gaps.len(), gaps.join("\n"));
}

#[test]
fn a_gap_is_found() {
    for (place, expected) in [
        ("/paths/~1api~1v1~1me/get/operationId", "get /api/v1/me: no operation id"),
        (
            "/paths/~1api~1v1~1users/post/requestBody/content/application~1json/example",
            "post /api/v1/users: no example",
        ),
        ("/paths/~1api~1v1~1users/get/responses/500", "get /api/v1/users: it does not say what 500 means"),
        ("/components/responses/Denied/content", "403 is no problem"),
        ("/components/schemas/User/properties/name/description", "User: nothing describes name"),
        ("/components/schemas/Scope", "#/components/schemas/Scope"),
    ] {
        let mut document = document();
        let (parent, key) = place.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(&key.replace("~1", "/")).unwrap();
        document["components"]["schemas"]["UserName"]["description"] = json!("");
        let gaps = gaps(&document);
        assert!(gaps.iter().any(|gap| gap.contains(expected)), "{place}: {gaps:?}");
    }
}

#[test]
fn the_committed_description_is_the_one_of_the_code() {
    let committed = std::fs::read_to_string(format!("{FOLDER}/openapi.json")).unwrap_or_default();
    let now = format!("{}\n", agent_registry::server::openapi().unwrap());
    if committed != now {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi.json");
        std::fs::write(&new, now).unwrap();
        panic!("the description has changed: if that is wanted, copy {} to {FOLDER}/openapi.json", new.display());
    }
}

#[test]
fn no_program_written_from_the_released_description_breaks() {
    let released: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{FOLDER}/openapi-released.json")).unwrap()).unwrap();
    let wanted = std::fs::read_to_string(format!("{FOLDER}/openapi-breaks.txt")).unwrap();
    let wanted: BTreeSet<_> = wanted.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let found = breaks(&released, &document());
    let found: BTreeSet<_> = found.iter().map(String::as_str).collect();
    let unwanted: Vec<_> = found.difference(&wanted).copied().collect();
    assert!(
        unwanted.is_empty(),
        "programs break; if that is wanted, add to openapi-breaks.txt:\n{}",
        unwanted.join("\n")
    );
    let idle: Vec<_> = wanted.difference(&found).copied().collect();
    assert!(idle.is_empty(), "openapi-breaks.txt names what does not break:\n{}", idle.join("\n"));
}
