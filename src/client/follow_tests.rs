//! Following a registry that breaks off, repeats itself, is away, and ends.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::{Answer, Registry, Request};
use super::{Catalogue, Follow, Followed, Since, Wanted};
use crate::remote::ErrorKind;

const INFO: &str = r#"{"name":"agent-registry","version":"1","default_namespace":"default"}"#;

fn event(number: u64) -> String {
    format!(
        "id: {number}\nevent: tag.moved\ndata: {{\"id\":{number},\"kind\":\"tag.moved\",\"repository\":\"a/b\",\
         \"actor\":\"ada\",\"at\":\"2026-01-01T00:00:00Z\"}}\n\n"
    )
}

fn stream(text: &str) -> Answer {
    Answer { is_unmeasured: true, ..Answer::with(text) }.header("Content-Type", "text/event-stream")
}

/// A registry that answers the first question for events with the first of these, and so on; the last for ever.
fn registry(answers: Vec<Answer>) -> Registry {
    let asked = AtomicUsize::new(0);
    Registry::serve(move |request| match request.path.as_str() {
        "/api/v1" => Answer::with(INFO).header("Content-Type", "application/json"),
        path if path.starts_with("/api/v1/events") => {
            let number = asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            answers[number].clone()
        }
        _ => Answer::of(404),
    })
}

/// What comes until it fails, in short, with the error's kind; and what was asked.
async fn followed(answers: Vec<Answer>, since: Since) -> (Vec<String>, Vec<(String, Option<String>)>) {
    let registry = registry(answers);
    let remote = registry.remote();
    let catalogue = Catalogue::detect(&remote).await.unwrap().unwrap();
    let wanted = Wanted { repository: Some("a/b".parse().unwrap()), kinds: vec!["tag.moved".to_owned()] };
    let mut follow = Follow::begin(&catalogue, &remote, &wanted, since).await.unwrap().unwrap();
    let mut told = vec![];
    loop {
        told.push(match follow.next().await {
            Ok(Followed::Event(event)) => event.id.to_string(),
            Ok(Followed::Lost(error)) => format!("lost: {}", error.is_some()),
            Ok(Followed::Again) => "again".to_owned(),
            Err(error) => {
                told.push(error.to_string());
                let events = |request: Request| {
                    let path = request.path.strip_prefix("/api/v1/events?")?.to_owned();
                    Some((path, request.last_event))
                };
                return (told, registry.requests().into_iter().filter_map(events).collect());
            }
        });
    }
}

#[tokio::test]
async fn each_event_comes_once_and_none_is_left_out_however_often_the_way_breaks() {
    let cut = format!("retry: 1000\nid: 5\n\n{}{}", event(6), &event(7)[..30]);
    let repeated = [event(6), event(7), event(8), "id: 20\n\n".to_owned()].concat();
    let answers = vec![
        stream(&cut),
        Answer::of(503),
        stream(&repeated),
        stream(&event(21)),
        Answer::of(410).header("Content-Type", "application/problem+json"),
    ];
    let (told, asked) = followed(answers, Since::Latest).await;
    let end = told.last().unwrap();
    assert!(end.contains("answered 410"), "{end}");
    let lost = "lost: false";
    assert_eq!(told[..told.len() - 1], ["6", lost, "again", "7", "8", lost, "again", "21", lost]);
    let base = "repository=a/b&kind=tag.moved";
    let newest = |number: &str| (base.to_owned(), Some(number.to_owned()));
    let expected = [(format!("{base}&after=latest"), None), newest("6"), newest("6"), newest("20"), newest("21")];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn what_broke_off_before_the_first_event_goes_on_where_it_began() {
    let answers = vec![stream("id: 41\n\n"), stream(&event(42)), Answer::of(401)];
    let (told, asked) = followed(answers, Since::Latest).await;
    assert_eq!(told[..4], ["lost: false", "again", "42", "lost: false"]);
    assert!(told[4].contains("answered 401"), "{told:?}");
    assert_eq!(asked[1].1.as_deref(), Some("41"));
}

#[tokio::test]
async fn a_registry_without_events_is_told_from_one_that_is_away() {
    for answer in [Answer::of(404), Answer::with("{}").header("Content-Type", "application/json")] {
        let registry = registry(vec![answer]);
        let remote = registry.remote();
        let catalogue = Catalogue::detect(&remote).await.unwrap().unwrap();
        let begun = Follow::begin(&catalogue, &remote, &Wanted::default(), Since::Oldest).await.unwrap();
        assert!(begun.is_none());
        assert_eq!(registry.requests()[1].path, "/api/v1/events?");
    }
    let registry = registry(vec![Answer::of(503)]);
    let remote = registry.remote();
    let catalogue = Catalogue::detect(&remote).await.unwrap().unwrap();
    let failed = Follow::begin(&catalogue, &remote, &Wanted::default(), Since::Event(3)).await.unwrap_err();
    let super::Error::Remote(failed) = failed else { panic!("{failed}") };
    assert_eq!(failed.kind(), ErrorKind::Unavailable);
    assert_eq!(registry.requests()[1].last_event.as_deref(), Some("3"));
}
