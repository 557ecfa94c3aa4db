//! Identity tokens of every kind that must be refused, and those that must not.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::assertion::{MAX_AGE_SECONDS, MAX_ASSERTION_BYTES, MAX_CLAIMS};
use super::{Asserted, Assertion, AssertionError, IssuerKeys, IssuerUrl};

use crate::minter::{Signer, base64url, github_claims, gitlab_claims, key_set};

const ISSUER: &str = "https://ci.example";
const AUDIENCE: &str = "registry.example";
const NOW: i64 = 1_800_000_000;

fn claims() -> Value {
    github_claims(ISSUER, AUDIENCE, NOW)
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn verify(signers: &[Signer], token: &str) -> Result<Asserted, AssertionError> {
    let keys = IssuerKeys::parse(key_set(signers).to_string().as_bytes()).unwrap();
    let issuer: IssuerUrl = ISSUER.parse().unwrap();
    Assertion::parse(token)?.verify(&issuer, &keys, &["web-client", AUDIENCE], Timestamp::from_second(NOW).unwrap())
}

/// What becomes of honestly signed claims.
fn judge(claims: &Value) -> Result<Asserted, AssertionError> {
    let signer = Signer::ed25519("k");
    verify(std::slice::from_ref(&signer), &signer.sign(claims))
}

#[test]
fn tokens_of_github_and_gitlab_are_taken_with_every_kind_of_key() {
    for signer in [Signer::rsa("k"), Signer::p256("k"), Signer::ed25519("k")] {
        for claims in [claims(), gitlab_claims(ISSUER, AUDIENCE, NOW)] {
            let asserted = verify(std::slice::from_ref(&signer), &signer.sign(&claims)).unwrap();
            assert_eq!((asserted.issuer().as_str(), asserted.subject()), (ISSUER, claims["sub"].as_str().unwrap()));
            assert_eq!(Value::Object(asserted.claims().clone()), claims);
        }
    }
}

#[test]
fn unsigned_and_symmetrically_signed_tokens_are_refused() {
    let signer = Signer::rsa("k");
    let all = std::slice::from_ref(&signer);
    for algorithm in ["none", "None", "NONE", "", "HS256", "HS512", "RS384", "PS256", "ES384", "XX"] {
        let forged = signer.sign_raw(&json!({"alg": algorithm, "typ": "JWT", "kid": "k"}), &claims());
        assert!(matches!(verify(all, &forged), Err(AssertionError::Form(_))), "{algorithm}");
    }
    let header = base64url(r#"{"alg":"none","kid":"k"}"#);
    for unsigned in [format!("{header}.{}.", base64url(claims().to_string())), format!("{header}.{}", base64url("{}"))]
    {
        assert!(matches!(verify(all, &unsigned), Err(AssertionError::Form(_))));
    }
    // The public key as the secret, in the forms an attacker finds it in.
    let modulus = signer.jwk()["n"].as_str().unwrap().as_bytes().to_vec();
    for secret in [modulus, signer.jwk().to_string().into_bytes()] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("k".to_owned());
        let forged = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&secret)).unwrap();
        assert!(matches!(verify(all, &forged), Err(AssertionError::Form(_))));
    }
}

#[test]
fn an_algorithm_goes_with_its_kind_of_key_only() {
    let (rsa, ed) = (Signer::rsa("k"), Signer::ed25519("k"));
    let token = ed.sign(&claims());
    assert!(matches!(verify(std::slice::from_ref(&rsa), &token), Err(AssertionError::UnknownKey)));
    assert!(verify(&[rsa, ed], &token).is_ok(), "two kinds may share a name");
}

#[test]
fn keys_are_never_taken_from_the_token() {
    let (honest, attacker) = (Signer::p256("k"), Signer::p256("k"));
    let all = std::slice::from_ref(&honest);
    let places = [
        ("jwk", attacker.jwk().clone()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["AAAA"])),
        ("crit", json!(["exp"])),
        ("typ", json!("at+jwt")),
    ];
    for (name, value) in places {
        for signer in [&attacker, &honest] {
            let mut header = json!({"alg": "ES256", "typ": "JWT", "kid": "k"});
            header[name] = value.clone();
            let forged = signer.sign_raw(&header, &claims());
            assert!(matches!(verify(all, &forged), Err(AssertionError::Header(found)) if found == name), "{name}");
        }
    }
    assert!(matches!(verify(all, &attacker.sign(&claims())), Err(AssertionError::Signature(_))));
}

#[test]
fn a_key_must_be_named_and_known() {
    let signer = Signer::ed25519("k");
    let all = std::slice::from_ref(&signer);
    for name in ["other", "K", "", "../k", "k' OR 1=1"] {
        let mut header = signer.header();
        header.kid = Some(name.to_owned());
        let token = signer.sign_with(&header, &claims());
        assert!(matches!(verify(all, &token), Err(AssertionError::UnknownKey)), "{name}");
    }
    let nameless = signer.sign_with(&Header { kid: None, ..signer.header() }, &claims());
    assert!(matches!(verify(all, &nameless), Err(AssertionError::NoKeyId)));
}

#[test]
fn changed_bytes_break_the_signature() {
    let signer = Signer::ed25519("k");
    let token = signer.sign(&claims());
    let parts: Vec<_> = token.split('.').collect();
    let widened = base64url(with("repository_id", json!("1")).to_string());
    let all = std::slice::from_ref(&signer);
    let forged = format!("{}.{widened}.{}", parts[0], parts[2]);
    assert!(matches!(verify(all, &forged), Err(AssertionError::Signature(_))));
    let cut = &token[..token.len() - 4];
    assert!(matches!(verify(all, cut), Err(AssertionError::Signature(_))));
}

#[test]
fn the_audience_is_this_registry_and_no_other() {
    for good in [json!([AUDIENCE]), json!(AUDIENCE)] {
        assert_eq!(judge(&with("aud", good)).unwrap().audience(), AUDIENCE);
    }
    assert_eq!(judge(&with("aud", json!("web-client"))).unwrap().audience(), "web-client");
    let others = [
        json!("sigstore"),
        json!([AUDIENCE, "sigstore"]),
        json!(["web-client", AUDIENCE]),
        json!([]),
        json!(""),
        json!("registry.example.evil"),
        json!("https://registry.example"),
        json!("Registry.example"),
        json!({ AUDIENCE: true }),
        Value::Null,
    ];
    for other in others {
        assert!(matches!(judge(&with("aud", other.clone())), Err(AssertionError::Audience(_))), "{other}");
    }
    assert!(matches!(judge(&without("aud")), Err(AssertionError::Audience(_))));
}

#[test]
fn another_issuer_with_the_same_key_is_refused() {
    for other in ["https://ci.example/", "https://ci.example.evil", "https://CI.example", "ci.example"] {
        assert!(matches!(judge(&with("iss", json!(other))), Err(AssertionError::Issuer)), "{other}");
    }
    assert!(matches!(judge(&with("iss", json!([ISSUER]))), Err(AssertionError::Claim("iss"))));
    assert!(matches!(judge(&without("iss")), Err(AssertionError::Claim("iss"))));
}

#[test]
fn times_are_judged_with_a_minute_of_leeway() {
    for (name, good, bad) in [("exp", NOW - 59, NOW - 60), ("nbf", NOW + 60, NOW + 61), ("iat", NOW + 60, NOW + 61)] {
        assert!(judge(&with(name, json!(good))).is_ok(), "{name}");
        let error = judge(&with(name, json!(bad))).unwrap_err();
        let is_right = if name == "exp" {
            matches!(error, AssertionError::Expired)
        } else {
            matches!(error, AssertionError::NotYet)
        };
        assert!(is_right, "{name}: {error}");
    }
    let long = |issued: i64| {
        let mut claims = with("exp", json!(NOW + 1_000_000));
        (claims["iat"], claims["nbf"]) = (json!(issued), json!(issued));
        claims
    };
    let asserted = judge(&long(NOW - MAX_AGE_SECONDS)).unwrap();
    assert_eq!(asserted.usable_until().as_second(), NOW + 60, "what is kept for the single use is kept long enough");
    assert!(matches!(judge(&long(NOW - MAX_AGE_SECONDS - 60)), Err(AssertionError::Expired)));
    assert_eq!(judge(&claims()).unwrap().usable_until().as_second(), NOW + 300 + 60);
    assert!(judge(&with("exp", json!(1_800_000_300.5))).is_ok(), "a NumericDate may have a fraction");
    assert!(judge(&without("nbf")).is_ok());
    assert_eq!(judge(&with("exp", json!(u64::MAX))).unwrap().usable_until().as_second(), NOW + MAX_AGE_SECONDS + 60);
}

#[test]
fn claims_must_be_there_and_well_formed() {
    for (name, values) in [
        ("exp", vec![json!("soon"), json!(-1), Value::Null, json!([])]),
        ("iat", vec![json!("now"), json!(-5)]),
        ("nbf", vec![json!("now"), json!({})]),
        ("sub", vec![json!(""), json!(7), json!("a\nb"), json!("s".repeat(1025))]),
        ("jti", vec![json!(""), json!(7), json!("j".repeat(1025))]),
    ] {
        for value in values {
            let told = judge(&with(name, value.clone()));
            assert!(matches!(told, Err(AssertionError::Claim(found)) if found == name), "{name}: {value}: {told:?}");
        }
    }
    for name in ["exp", "iat", "sub"] {
        assert!(matches!(judge(&without(name)), Err(AssertionError::Claim(found)) if found == name), "{name}");
    }
}

#[test]
fn a_token_has_limits_and_a_form() {
    let mut many = claims();
    for number in 0..MAX_CLAIMS {
        many[format!("c{number}")] = json!(number);
    }
    assert!(matches!(judge(&many), Err(AssertionError::TooManyClaims)));
    assert!(matches!(judge(&with("x", json!("x".repeat(MAX_ASSERTION_BYTES)))), Err(AssertionError::TooLong)));
    for bad in ["", ".", "..", "a.b.c", "a.b", "agr_secret", "e30.e30.e30", "\u{0}.\u{0}.\u{0}"] {
        let error = Assertion::parse(bad).unwrap_err();
        assert!(matches!(error, AssertionError::Form(_)), "{bad}: {error}");
    }
    let signer = Signer::ed25519("k");
    for claims in ["[]", "7", "\"x\"", r#"{"iss":"a","iss":"b"}"#, &"[".repeat(200)] {
        let text = format!("{}.{}.", base64url(serde_json::to_string(&signer.header()).unwrap()), base64url(claims));
        assert!(matches!(Assertion::parse(&text), Err(AssertionError::Claim("iss"))), "{claims}");
    }
}

#[test]
fn a_token_is_known_again_by_its_number_or_its_signed_text() {
    let signer = Signer::p256("k");
    let all = std::slice::from_ref(&signer);
    let fingerprint = |claims: &Value| *verify(all, &signer.sign(claims)).unwrap().fingerprint();
    let again = with("sha", json!("c"));
    let same_number = {
        let mut other = again.clone();
        other["sha"] = json!("d");
        other
    };
    assert_eq!(fingerprint(&again), fingerprint(&same_number));
    assert_ne!(fingerprint(&claims()), fingerprint(&claims()));
    // Each signature with P-256 is another one.
    let nameless = without("jti");
    assert_ne!(signer.sign(&nameless), signer.sign(&nameless));
    assert_eq!(fingerprint(&nameless), fingerprint(&nameless));
}

#[test]
fn no_error_and_no_debug_output_repeats_the_token() {
    let token = Signer::ed25519("k").sign(&claims());
    let assertion = Assertion::parse(&token).unwrap();
    assert!(!format!("{assertion:?}").contains(&token[..40]));
    let error = verify(&[Signer::ed25519("k")], &token).unwrap_err();
    assert!(!format!("{error:?} {error}").contains(&token[..40]));
}
