//! The scope grammar of token requests and challenges: `type[(class)]:name:action[,action]`, separated by spaces.

use super::{Access, Resource, ScopeAction, ScopeActions};

/// Most entries read of one request; the others are not granted.
pub const MAX_SCOPES: usize = 64;

/// Reads what a client asks for. What is not understood is left out, never an error: a client may ask any registry for
/// anything, and gets what is left.
pub fn parse_scope(text: &str) -> Vec<Access> {
    let mut all: Vec<Access> = Vec::new();
    for access in text.split_ascii_whitespace().take(MAX_SCOPES).filter_map(entry) {
        match all.iter_mut().find(|known| known.resource == access.resource) {
            Some(known) => known.actions = known.actions.or(access.actions),
            None => all.push(access),
        }
    }
    all
}

/// Writes what a challenge asks for: one value for all resources.
pub fn write_scope(access: &[Access]) -> String {
    access.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn entry(text: &str) -> Option<Access> {
    // A name may have a port in it, so the type ends at the first colon and the actions begin after the last.
    let (kind, rest) = text.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let resource = Resource::read(without_class(kind), without_host(name))?;
    let actions: ScopeActions = actions.split(',').filter_map(ScopeAction::from_word).collect();
    (!actions.is_empty()).then_some(Access { resource, actions })
}

fn without_class(kind: &str) -> &str {
    match kind.split_once('(') {
        Some((kind, class)) if class.ends_with(')') => kind,
        _ => kind,
    }
}

/// The name without a host in front, which only a port gives away.
fn without_host(name: &str) -> &str {
    match name.split_once('/') {
        Some((host, name)) if host.contains(':') => name,
        _ => name,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::super::ActionKind;
    use super::*;

    fn read(text: &str) -> String {
        write_scope(&parse_scope(text))
    }

    #[test]
    fn what_clients_ask_for_is_understood() {
        for (asked, understood) in [
            ("repository:a/b:pull", "repository:a/b:pull"),
            ("repository:a/b:push,pull", "repository:a/b:pull,push"),
            ("repository:a/b:push,pull,delete", "repository:a/b:pull,push,delete"),
            ("repository:a/b:*", "repository:a/b:*"),
            ("registry:catalog:*", "registry:catalog:*"),
            ("repository:a/b:pull repository:c/d:push", "repository:a/b:pull repository:c/d:push"),
            ("repository:a/b:pull repository:a/b:push", "repository:a/b:pull,push"),
            ("repository(plugin):a/b:pull", "repository:a/b:pull"),
            ("repository:localhost:5000/a/b:pull", "repository:a/b:pull"),
        ] {
            assert_eq!(read(asked), understood, "{asked}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for nothing in [
            "",
            "   ",
            "pull",
            "repository:a/b",
            "repository:a/b:",
            "repository:a/b:fly",
            "repository:A/b:pull",
            "repository:a/../b:pull",
            "cluster:a:pull",
            "registry:users:*",
            "repository(plugin:a/b:pull",
            ":::",
        ] {
            assert_eq!(read(nothing), "", "{nothing}");
        }
        assert_eq!(read("repository:a/b:pull,fly nonsense"), "repository:a/b:pull");
    }

    #[test]
    fn a_flood_is_cut_off() {
        let flood: Vec<String> = (0..1_000).map(|number| format!("repository:a/{number}:pull")).collect();
        assert_eq!(parse_scope(&flood.join(" ")).len(), MAX_SCOPES);
    }

    #[test]
    fn what_a_request_needs_reads_back() {
        let name = "a/b".parse().unwrap();
        let needed = [ActionKind::Push, ActionKind::Delete, ActionKind::Admin].map(|a| Access::needed(a, &name));
        for one in needed {
            assert_eq!(parse_scope(&one.to_string()), [one]);
        }
        assert_eq!(parse_scope(&write_scope(&[Access::catalog()])), [Access::catalog()]);
    }

    proptest! {
        #[test]
        fn no_text_is_an_error_and_what_is_understood_reads_back(text in any::<String>()) {
            let once = parse_scope(&text);
            prop_assert_eq!(parse_scope(&write_scope(&once)), once);
        }

        #[test]
        fn nothing_near_the_grammar_is_an_error(
            text in "((repository|registry|x)(\\(plugin\\))?:[a-c:/.*]{0,8}:(pull|push|delete|\\*|,){0,4} ?){0,4}"
        ) {
            let once = parse_scope(&text);
            prop_assert_eq!(parse_scope(&write_scope(&once)), once);
        }
    }
}
