//! Reads what has happened, page by page, and compares it with what the model saw happen.

use serde_json::Value;

use super::callers::Caller;
use super::shelf::REPOSITORIES;
use super::world::{Outcome, World, agree};

impl World {
    /// Every event of repositories in sight comes once and in order, and no other.
    pub(crate) async fn listens(&self, caller: &Caller, limit: u8) -> Outcome {
        if self.is_gone(caller) {
            let status = self.get(caller, "/api/v1/events").await.status;
            agree!(status == 401, "{} is gone, and hears {status}", caller.named());
            return Ok(());
        }
        let heard = self.heard(caller, limit).await?;
        let told = |error: String| format!("{} listens: {error}", caller.named());
        let numbers: Vec<_> = heard.iter().map(|event| event["id"].as_u64().unwrap()).collect();
        agree!(numbers.is_sorted_by(|one, next| one < next), "{}", told(format!("the order is {numbers:?}")));
        let wanted: Vec<_> = self.told.iter().filter(|told| self.sees(caller, told.repository)).collect();
        let line = |kind: &str, name: &str, tag: Option<&str>, digest: Option<&str>| match kind {
            // How the version is named is for others to say.
            kind if kind.starts_with("version.") || kind.starts_with("package.") => format!("{kind} {name}"),
            kind => format!("{kind} {name} {} {}", tag.unwrap_or("-"), digest.unwrap_or("-")),
        };
        let heard = heard.iter().map(|event| {
            let text = |key: &str| event[key].as_str();
            line(text("kind").unwrap(), text("repository").unwrap(), text("tag"), text("digest"))
        });
        let wanted = wanted.iter().map(|told| {
            let digest = told.digest.map(|digest| digest.to_string());
            line(told.kind, REPOSITORIES[told.repository], told.tag.as_deref(), digest.as_deref())
        });
        let (heard, wanted) = (settled(heard.collect()), settled(wanted.collect()));
        let differs = heard.iter().zip(&wanted).position(|(one, other)| one != other);
        let differs = differs.unwrap_or_else(|| heard.len().min(wanted.len()));
        agree!(
            heard == wanted,
            "{}",
            told(format!(
                "of {} and {}, at {differs} {:?} instead of {:?}",
                heard.len(),
                wanted.len(),
                heard.get(differs),
                wanted.get(differs)
            ))
        );
        Ok(())
    }

    async fn heard(&self, caller: &Caller, limit: u8) -> Outcome<Vec<Value>> {
        let (mut heard, mut after) = (vec![], "0".to_owned());
        loop {
            let path = format!("/api/v1/events?limit={limit}&after={after}");
            let answer = self.get(caller, &path).await;
            let body = String::from_utf8_lossy(&answer.body);
            agree!(answer.status == 200, "{} {path}: {} {body}", caller.named(), answer.status);
            let page = answer.json();
            let items = page["items"].as_array().unwrap();
            agree!(items.len() <= usize::from(limit), "more than {limit}");
            heard.extend(items.iter().cloned());
            let next = match &page["next"] {
                Value::Null => return Ok(heard),
                Value::String(next) => next.clone(),
                next => next.to_string(),
            };
            if items.is_empty() || next == after {
                return Ok(heard);
            }
            after = next;
        }
    }
}

/// Tags that go with a manifest go in any order.
fn settled(mut lines: Vec<String>) -> Vec<String> {
    let is_gone = |line: &String| line.starts_with("tag.deleted ");
    let mut start = 0;
    while start < lines.len() {
        let length = lines[start..].iter().take_while(|line| is_gone(line)).count();
        lines[start..start + length].sort();
        start += length.max(1);
    }
    lines
}
