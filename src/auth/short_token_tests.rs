//! Hostile short tokens: each is refused, for the reason it should be.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::short_token::{KeyRing, MAX_SHORT_TOKEN_LENGTH, ShortToken, ShortTokenError, SigningKey};
use super::{Identity, PublisherId, TokenId, parse_scope};

const NOW: i64 = 1_800_000_000;
const SERVICE: &str = "registry.example.com";

fn at(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(second).unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate(at(NOW)).unwrap()
}

fn token(identity: Identity) -> ShortToken {
    ShortToken {
        identity,
        service: SERVICE.to_owned(),
        token: Some(TokenId::new(7)),
        access: parse_scope("repository:ai-team/agent:pull,push registry:catalog:*"),
        issued_at: at(NOW),
        expires_at: at(NOW + 300),
        id: uuid::Uuid::new_v4(),
    }
}

fn ada() -> Identity {
    Identity::User("ada".parse().unwrap())
}

/// Whatever header and claims, signed by the ring's own key: what would pass if only the signature were checked.
fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(key.to_bytes()).unwrap();
    format!("{message}.{}", BASE64.encode(pair.sign(message.as_bytes())))
}

fn header(key: &SigningKey) -> Value {
    json!({"typ": "JWT", "alg": "EdDSA", "kid": key.id()})
}

fn claims() -> Value {
    json!({
        "iss": "agent-registry", "sub": "ada", "aud": SERVICE, "exp": NOW + 300, "nbf": NOW, "iat": NOW,
        "jti": uuid::Uuid::new_v4(), "access": [{"type": "repository", "name": "a/b", "actions": ["pull"]}],
    })
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value.as_object_mut().unwrap().insert(name.to_owned(), new);
    value
}

#[test]
fn what_was_signed_reads_back() {
    let ring = KeyRing::new(key(), vec![]);
    for identity in [ada(), Identity::Anonymous, Identity::Publisher(PublisherId::new(9))] {
        let token = token(identity);
        let text = ring.sign(&token).unwrap();
        assert_eq!(ring.verify(&text, SERVICE, at(NOW)), Ok(token.clone()));
        assert_eq!(ring.verify(&text, SERVICE, at(NOW + 299)), Ok(token));
        let header = text.split('.').next().unwrap();
        let header: Value = serde_json::from_slice(&BASE64.decode(header).unwrap()).unwrap();
        assert_eq!(header, json!({"typ": "JWT", "alg": "EdDSA", "kid": ring.active().id()}));
    }
}

#[test]
fn the_forger_of_these_tests_can_make_a_good_one() {
    let key = key();
    let text = signed(&key, &header(&key), &claims());
    let read = KeyRing::new(key, vec![]).verify(&text, SERVICE, at(NOW)).unwrap();
    assert_eq!((read.identity, read.token), (ada(), None));
}

#[test]
fn times_are_kept() {
    let key = key();
    let text = |name: &str, value: Value| signed(&key, &header(&key), &with(claims(), name, value));
    let ring = KeyRing::new(key.clone(), vec![]);
    let verify = |text: String, second| ring.verify(&text, SERVICE, at(second)).map(|_| ());
    assert_eq!(verify(text("exp", json!(NOW)), NOW), Err(ShortTokenError::Expired), "its last second is over");
    assert_eq!(verify(text("exp", json!(NOW + 1)), NOW), Ok(()));
    assert_eq!(verify(text("nbf", json!(NOW + 60)), NOW), Err(ShortTokenError::Early));
    assert_eq!(verify(text("nbf", json!(NOW + 5)), NOW), Ok(()), "clocks differ a little");
    for wrong in [json!("soon"), json!(null), json!(-1.5), json!(i64::MAX), json!(u64::MAX)] {
        assert_eq!(verify(text("exp", wrong.clone()), NOW), Err(ShortTokenError::Form), "{wrong}");
    }
}

#[test]
fn it_is_for_one_service_of_one_issuer() {
    let key = key();
    let ring = KeyRing::new(key.clone(), vec![]);
    for (name, value) in [("aud", "other.example.com"), ("aud", ""), ("iss", "somebody"), ("iss", "")] {
        let text = signed(&key, &header(&key), &with(claims(), name, json!(value)));
        assert_eq!(ring.verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::Service), "{name} {value}");
    }
    let several = signed(&key, &header(&key), &with(claims(), "aud", json!([SERVICE, "other.example.com"])));
    assert_eq!(ring.verify(&several, SERVICE, at(NOW)), Err(ShortTokenError::Form));
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        let text = signed(&key, &header(&key), &claims);
        assert_eq!(ring.verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::Form), "without {name}");
    }
}

#[test]
fn subjects_are_parsed() {
    let key = key();
    let ring = KeyRing::new(key.clone(), vec![]);
    for subject in ["(anonymous)", "(system)", "Ada", "ada/agent", "(publisher )", "(publisher x)", "(publisher 1"] {
        let text = signed(&key, &header(&key), &with(claims(), "sub", json!(subject)));
        assert_eq!(ring.verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::Form), "{subject}");
    }
}

#[test]
fn keys_from_the_token_are_never_read() {
    let (own, foreign) = (key(), key());
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(foreign.to_bytes()).unwrap();
    let x = BASE64.encode(aws_lc_rs::signature::KeyPair::public_key(&pair));
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": own.id()});
    let ring = KeyRing::new(own.clone(), vec![]);
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example.com/keys")),
        ("x5u", json!("https://evil.example.com/chain")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("typ", json!("JWE")),
    ] {
        let header = with(header(&own), name, value);
        for signer in [&own, &foreign] {
            let text = signed(signer, &header, &claims());
            assert_eq!(ring.verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::Form), "{name}");
        }
    }
    let text = signed(&foreign, &header(&own), &claims());
    assert_eq!(ring.verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::Signature));
    let text = signed(&foreign, &header(&foreign), &claims());
    assert_eq!(ring.verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::UnknownKey));
}

#[test]
fn only_one_algorithm_is_taken() {
    let key = key();
    let ring = KeyRing::new(key.clone(), vec![]);
    let others = ["none", "None", "HS256", "HS512", "RS256", "PS256", "ES256", "ES384", "Ed25519", "eddsa", ""];
    for algorithm in others {
        let header = with(header(&key), "alg", json!(algorithm));
        let text = signed(&key, &header, &claims());
        assert_eq!(ring.verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::Form), "{algorithm}");
        let unsigned = text.rsplit_once('.').unwrap().0.to_owned() + ".";
        assert_eq!(ring.verify(&unsigned, SERVICE, at(NOW)), Err(ShortTokenError::Form), "{algorithm}");
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let key = key();
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(key.to_bytes()).unwrap();
    let public = aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref().to_vec();
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = Some(key.id().to_owned());
    let secret = jsonwebtoken::EncodingKey::from_secret(&public);
    let text = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
    assert_eq!(KeyRing::new(key, vec![]).verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::Form));
}

#[test]
fn strange_key_names_find_no_key() {
    let key = key();
    let ring = KeyRing::new(key.clone(), vec![]);
    for id in ["", "../../etc/passwd", "' OR 1=1 --", &key.id()[1..], &key.id().to_uppercase(), &"k".repeat(4096)] {
        let text = signed(&key, &with(header(&key), "kid", json!(id)), &claims());
        assert_eq!(ring.verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::UnknownKey), "{id}");
    }
    let mut without = header(&key);
    without.as_object_mut().unwrap().remove("kid");
    assert_eq!(ring.verify(&signed(&key, &without, &claims()), SERVICE, at(NOW)), Err(ShortTokenError::Form));
}

#[test]
fn widening_breaks_the_signature() {
    let ring = KeyRing::new(key(), vec![]);
    let text = ring.sign(&token(ada())).unwrap();
    let parts: Vec<_> = text.split('.').collect();
    let mut widened: Value = serde_json::from_slice(&BASE64.decode(parts[1]).unwrap()).unwrap();
    widened["access"][0]["actions"] = json!(["*"]);
    let widened = format!("{}.{}.{}", parts[0], BASE64.encode(widened.to_string()), parts[2]);
    assert_eq!(ring.verify(&widened, SERVICE, at(NOW)), Err(ShortTokenError::Signature));
}

#[test]
fn pieces_and_monsters_are_refused() {
    let ring = KeyRing::new(key(), vec![]);
    let text = ring.sign(&token(ada())).unwrap();
    for length in 0..text.len() {
        assert!(ring.verify(&text[..length], SERVICE, at(NOW)).is_err(), "{length}");
    }
    let million = "x".repeat(1024 * 1024);
    assert_eq!(ring.verify(&million, SERVICE, at(NOW)), Err(ShortTokenError::TooLong));
    let padded = format!("{text}{}", "A".repeat(MAX_SHORT_TOKEN_LENGTH));
    assert_eq!(ring.verify(&padded, SERVICE, at(NOW)), Err(ShortTokenError::TooLong));
    let deep = BASE64.encode("[".repeat(2_000));
    let extra = format!("{text}.x");
    for text in ["", ".", "..", "...", "a.b.c", "🦀.🦀.🦀", &format!("{deep}.{deep}.{deep}"), &extra] {
        assert_eq!(ring.verify(text, SERVICE, at(NOW)), Err(ShortTokenError::Form), "{} bytes", text.len());
    }
}

#[test]
fn retired_keys_are_believed_and_forgotten_ones_not() {
    let (old, new) = (key(), key());
    let text = KeyRing::new(old.clone(), vec![]).sign(&token(ada())).unwrap();
    let rotated = KeyRing::new(new.clone(), vec![old]);
    assert!(rotated.verify(&text, SERVICE, at(NOW)).is_ok());
    assert_eq!(rotated.active().id(), new.id());
    assert_eq!(KeyRing::new(new, vec![]).verify(&text, SERVICE, at(NOW)), Err(ShortTokenError::UnknownKey));
}

#[test]
fn keys_are_stored_and_not_shown() {
    let key = key();
    let read = SigningKey::from_bytes(key.to_bytes(), at(NOW)).unwrap();
    assert_eq!((read.id(), read.created_at()), (key.id(), at(NOW)));
    for broken in [&[][..], b"x", &key.to_bytes()[1..]] {
        assert!(SigningKey::from_bytes(broken, at(NOW)).is_err());
    }
    let shown = format!("{key:?} {:?}", KeyRing::new(key.clone(), vec![]));
    let secret = format!("{:?}", key.to_bytes());
    assert!(!shown.contains(&secret[1..40]) && shown.contains(key.id()), "{shown}");
}
