//! Reads `Link`: where the next page of a list is (RFC 8288).

use reqwest::header::{HeaderMap, LINK};

/// The target of the first link with relation `next`, as written.
pub(super) fn next(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(next_in)
}

fn next_in(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        // Targets hold commas, so the parameters end at the next target.
        let parameters = after.split('<').next().unwrap_or(after);
        if parameters.split([';', ',']).any(is_next) {
            return Some(target.trim().to_owned());
        }
        rest = after;
    }
    None
}

fn is_next(parameter: &str) -> bool {
    let Some((key, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    key.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<String> {
        next(&HeaderMap::from_iter([(LINK, value.parse().unwrap())]))
    }

    #[test]
    fn the_next_page_is_found_among_others() {
        assert_eq!(of(r#"</v2/a/tags/list?last=1&n=2>; rel="next""#).as_deref(), Some("/v2/a/tags/list?last=1&n=2"));
        assert_eq!(of(r#"</a>; rel=prev, </b,c>; title="x"; rel=next"#).as_deref(), Some("/b,c"));
        assert_eq!(of(r#"</a>; REL="last Next""#).as_deref(), Some("/a"));
    }

    #[test]
    fn anything_else_is_the_end() {
        for value in ["", "/a", "</a>", r#"</a>; rel="prev""#, r#"<a; rel="next""#, r#"</a>; rel="nextish""#] {
            assert_eq!(of(value), None, "{value}");
        }
    }
}
