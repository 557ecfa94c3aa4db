//! Compares two descriptions of the REST API: what of the old one a program relies on, and the new one does not give.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::description::{operations, resolved};

/// Which way a value goes: what a program sends may be allowed more, what it reads may be promised more, never less.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Sent,
    Read,
}

/// Everything that breaks programs, each with its place.
pub(crate) fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison { old, new, seen: BTreeSet::new(), found: vec![] };
    for (method, path, operation) in operations(old) {
        let place = format!("{method} {path}");
        match new["paths"].get(path).and_then(|item| item.get(method)) {
            Some(other) => comparison.operation(&place, operation, other),
            None => comparison.found.push(format!("{place}: is gone")),
        }
    }
    comparison.found
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    /// Pairs of schemas that were compared, since they refer to each other.
    seen: BTreeSet<(Way, String)>,
    found: Vec<String>,
}

impl Comparison<'_> {
    fn breaks(&mut self, place: &str, what: &str) {
        self.found.push(format!("{place}: {what}"));
    }

    fn operation(&mut self, place: &str, old: &Value, new: &Value) {
        if old["operationId"] != new["operationId"] {
            self.breaks(place, "has another operation id");
        }
        self.parameters(place, old, new);
        let body = "/requestBody/content/application~1json/schema";
        match (old.pointer(body), new.pointer(body)) {
            (Some(old), Some(new)) => self.schema(&format!("{place} body"), Way::Sent, old, new),
            (None, Some(_)) => self.breaks(place, "needs a body"),
            (Some(_), None) => self.breaks(place, "takes no body any more"),
            (None, None) => {}
        }
        for (status, response) in old["responses"].as_object().unwrap().iter().filter(|(key, _)| key.starts_with('2')) {
            let place = format!("{place} {status}");
            let Some(other) = new["responses"].get(status) else {
                self.breaks(&place, "is answered no more");
                continue;
            };
            let contents = resolved(self.old, response).get("content").and_then(Value::as_object).into_iter().flatten();
            for (media_type, content) in contents {
                match resolved(self.new, other)["content"].get(media_type) {
                    Some(other) => self.schema(&place, Way::Read, &content["schema"], &other["schema"]),
                    None => self.breaks(&place, &format!("has no {media_type} any more")),
                }
            }
        }
    }

    fn parameters(&mut self, place: &str, old: &Value, new: &Value) {
        let listed = |operation: &Value| operation["parameters"].as_array().cloned().unwrap_or_default();
        let key = |parameter: &Value| (parameter["in"].to_string(), parameter["name"].to_string());
        let (before, now) = (listed(old), listed(new));
        for parameter in &before {
            let place = format!("{place} parameter {}", parameter["name"].as_str().unwrap());
            match now.iter().find(|other| key(other) == key(parameter)) {
                Some(other) => {
                    if parameter["required"] != json!(true) && other["required"] == json!(true) {
                        self.breaks(&place, "is needed");
                    }
                    self.schema(&place, Way::Sent, &parameter["schema"], &other["schema"]);
                }
                None => self.breaks(&place, "is gone"),
            }
        }
        for parameter in now.iter().filter(|parameter| parameter["required"] == json!(true)) {
            if !before.iter().any(|other| key(other) == key(parameter)) {
                self.breaks(&format!("{place} parameter {}", parameter["name"].as_str().unwrap()), "is new and needed");
            }
        }
    }

    fn schema(&mut self, place: &str, way: Way, old: &Value, new: &Value) {
        // A named schema breaks once, wherever it is used.
        let name = old["$ref"].as_str().map(|name| name.rsplit('/').next().unwrap().to_owned());
        let place = name.clone().unwrap_or_else(|| place.to_owned());
        if let Some(name) = name
            && !self.seen.insert((way, name))
        {
            return;
        }
        let (old, new) = (resolved(self.old, old), resolved(self.new, new));
        self.types(&place, way, old, new);
        self.limits(&place, way, old, new);
        self.properties(&place, way, old, new);
        if let (Some(old), Some(new)) = (old.get("items"), new.get("items")) {
            self.schema(&format!("{place} items"), way, old, new);
        }
        for key in ["oneOf", "allOf", "anyOf"] {
            let (old, new) = (parts(old, key), parts(new, key));
            if old.len() != new.len() && !old.is_empty() {
                self.breaks(&place, &format!("is made of other parts ({key})"));
            }
            for (old, new) in old.iter().zip(&new) {
                self.schema(&place, way, old, new);
            }
        }
    }

    fn types(&mut self, place: &str, way: Way, old: &Value, new: &Value) {
        let (before, now) = (words(&old["type"]), words(&new["type"]));
        let (narrow, wide) = if way == Way::Sent { (&now, &before) } else { (&before, &now) };
        if !wide.iter().all(|kind| narrow.is_empty() || narrow.contains(kind)) {
            self.breaks(place, &format!("is {} instead of {}", list(&now), list(&before)));
        }
        // A new word in an answer is what a program has to expect; a word it may no longer send is not.
        let (before, now) = (words(&old["enum"]), words(&new["enum"]));
        let lost: Vec<_> = before.iter().filter(|word| !now.is_empty() && !now.contains(*word)).cloned().collect();
        if way == Way::Sent && !lost.is_empty() {
            self.breaks(place, &format!("takes {} no more", lost.join(", ")));
        }
        if old.get("format").is_some() && old["format"] != new["format"] {
            self.breaks(place, "has another format");
        }
    }

    fn limits(&mut self, place: &str, way: Way, old: &Value, new: &Value) {
        if way == Way::Read {
            return;
        }
        for (key, is_most) in [
            ("maxLength", true),
            ("maximum", true),
            ("maxItems", true),
            ("minLength", false),
            ("minimum", false),
            ("minItems", false),
        ] {
            let (before, now) = (old[key].as_f64(), new[key].as_f64());
            let is_narrower = match (before, now) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(before), Some(now)) => {
                    if is_most {
                        now < before
                    } else {
                        now > before
                    }
                }
            };
            if is_narrower {
                self.breaks(place, &format!("takes less ({key})"));
            }
        }
        if new.get("pattern").is_some() && old["pattern"] != new["pattern"] {
            self.breaks(place, "has another pattern");
        }
    }

    fn properties(&mut self, place: &str, way: Way, old: &Value, new: &Value) {
        let empty = Map::new();
        let of = |schema: &Value| schema["properties"].as_object().unwrap_or(&empty).clone();
        let (before, now) = (of(old), of(new));
        let (needed_before, needed_now) = (words(&old["required"]), words(&new["required"]));
        for (name, schema) in &before {
            let place = format!("{place}.{name}");
            let Some(other) = now.get(name) else {
                self.breaks(&place, "is gone");
                continue;
            };
            if way == Way::Read && needed_before.contains(name) && !needed_now.contains(name) {
                self.breaks(&place, "may be absent");
            }
            self.schema(&place, way, schema, other);
        }
        for name in needed_now.iter().filter(|name| way == Way::Sent && !needed_before.contains(*name)) {
            self.breaks(&format!("{place}.{name}"), "is needed");
        }
    }
}

fn parts(schema: &Value, key: &str) -> Vec<Value> {
    schema[key].as_array().cloned().unwrap_or_default()
}

/// One word, or several.
fn words(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(words) => words.iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect(),
        Value::String(word) => BTreeSet::from([word.clone()]),
        _ => BTreeSet::new(),
    }
}

fn list(words: &BTreeSet<String>) -> String {
    words.iter().cloned().collect::<Vec<_>>().join(" or ")
}

#[test]
fn what_breaks_programs_is_named_and_nothing_else() {
    let old = json!({
        "paths": {"/a": {
            "get": {
                "operationId": "a", "parameters": [{"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 9}}],
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}},
            },
            "put": {
                "operationId": "b", "responses": {"204": {}},
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
            },
        }},
        "components": {"schemas": {"A": {
            "type": "object", "required": ["id"],
            "properties": {"id": {"type": "string"}, "kind": {"enum": ["x", "y"]}, "next": {"$ref": "#/components/schemas/A"}},
        }}},
    });
    assert_eq!(breaks(&old, &old), Vec::<String>::new());
    let schema = "/components/schemas/A";
    let (get, put) = ("/paths/~1a/get", "/paths/~1a/put");
    for (place, value, expected) in [
        ("/paths".to_owned(), json!({}), vec!["get /a: is gone", "put /a: is gone"]),
        (format!("{get}/operationId"), json!("z"), vec!["get /a: has another operation id"]),
        (format!("{get}/parameters"), json!([]), vec!["get /a parameter q: is gone"]),
        (format!("{get}/parameters/0/required"), json!(true), vec!["get /a parameter q: is needed"]),
        (format!("{get}/parameters/0/schema/maxLength"), json!(8), vec!["get /a parameter q: takes less (maxLength)"]),
        (format!("{get}/parameters/0/schema/maxLength"), json!(10), vec![]),
        (format!("{get}/responses"), json!({}), vec!["get /a 200: is answered no more"]),
        (format!("{put}/requestBody"), json!(null), vec!["put /a: takes no body any more"]),
        (format!("{schema}/required"), json!(["id", "kind"]), vec!["A.kind: is needed"]),
        (format!("{schema}/required"), json!([]), vec!["A.id: may be absent"]),
        (format!("{schema}/properties/id/type"), json!("integer"), vec!["A.id: is integer instead of string"; 2]),
        (
            format!("{schema}/properties/id/type"),
            json!(["string", "null"]),
            vec!["A.id: is null or string instead of string"],
        ),
        (format!("{schema}/properties/kind/enum"), json!(["x"]), vec!["A.kind: takes y no more"]),
        (format!("{schema}/properties/kind/enum"), json!(["x", "y", "z"]), vec![]),
        (format!("{schema}/properties/more"), json!({"type": "string"}), vec![]),
        (format!("{schema}/properties"), json!({}), vec!["A.id: is gone", "A.kind: is gone", "A.next: is gone"]),
    ] {
        let mut new = old.clone();
        let (parent, key) = place.rsplit_once('/').unwrap();
        new.pointer_mut(parent).unwrap()[key] = value;
        let mut found = breaks(&old, &new);
        if expected.len() != found.len() {
            found.dedup();
            found.sort();
            found.dedup();
        }
        assert_eq!(found, expected, "{place}");
    }
}
