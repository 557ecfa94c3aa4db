//! A real issuer of identity tokens on loopback: description, keys that rotate, and people who sign in there.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use rustls::ServerConfig;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::minter::{Signer, base64url, key_set, unique};

/// What the issuer does when it is asked for its documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Honest,
    /// Its description names another issuer.
    OtherIssuer,
    /// Its description says its keys are at this address.
    KeysAt(&'static str),
    /// It sends elsewhere.
    Redirect,
    /// Its documents do not end.
    Endless,
    /// It takes the connection and says nothing.
    Silent,
    /// Its documents are no JSON.
    Garbage,
    /// It has nothing.
    Down,
}

/// A running issuer; it ends with its owner.
pub(crate) struct Issuer {
    /// Its address, as its tokens carry it.
    pub(crate) url: String,
    /// The certificate to trust it by, as PEM.
    pub(crate) certificate: String,
    shared: Arc<Mutex<Shared>>,
    handle: actix_web::dev::ServerHandle,
}

struct Shared {
    url: String,
    mood: Mood,
    signers: Vec<Signer>,
    fetches: usize,
    /// Whom the next sign-in is of, as claims.
    person: Value,
    codes: HashMap<String, Code>,
    devices: HashMap<String, Device>,
}

/// A sign-in on its way back to the program that asked.
struct Code {
    challenge: String,
    client: String,
    redirect: String,
    nonce: String,
}

struct Device {
    client: String,
    polls: usize,
}

impl Issuer {
    /// Starts one on a free port.
    pub(crate) async fn start(signers: &[Signer]) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        let key = rustls_pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let tls = ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let shared = Arc::new(Mutex::new(Shared {
            url: String::new(),
            mood: Mood::Honest,
            signers: signers.to_vec(),
            fetches: 0,
            person: json!({"sub": "person-1", "preferred_username": "ada"}),
            codes: HashMap::new(),
            devices: HashMap::new(),
        }));
        let state = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .route("/.well-known/openid-configuration", web::get().to(description))
                .route("/keys", web::get().to(keys))
                .route("/authorize", web::get().to(authorize))
                .route("/device", web::post().to(device))
                .route("/token", web::post().to(token))
        });
        let server = server.workers(1).disable_signals().bind_rustls_0_23(("127.0.0.1", 0), tls).unwrap();
        let url = format!("https://127.0.0.1:{}", server.addrs()[0].port());
        shared.lock().unwrap().url.clone_from(&url);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, certificate: made.cert.pem(), shared, handle }
    }

    /// Changes how it behaves from now on.
    pub(crate) fn set_mood(&self, mood: Mood) {
        self.shared().mood = mood;
    }

    /// Signs with other keys from now on, and shows only them.
    pub(crate) fn rotate(&self, signers: &[Signer]) {
        self.shared().signers = signers.to_vec();
    }

    /// How often its description was asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.shared().fetches
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // Asking is enough: it need not have ended.
        drop(self.handle.stop(false));
    }
}

async fn description(shared: web::Data<Mutex<Shared>>) -> HttpResponse {
    let (mood, url) = {
        let mut shared = shared.lock().unwrap();
        shared.fetches += 1;
        (shared.mood, shared.url.clone())
    };
    let mut document = json!({
        "issuer": url, "jwks_uri": format!("{url}/keys"), "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"), "device_authorization_endpoint": format!("{url}/device"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "code_challenge_methods_supported": ["S256"],
    });
    match mood {
        Mood::Honest => {}
        Mood::OtherIssuer => document["issuer"] = json!("https://other.example"),
        Mood::KeysAt(address) => document["jwks_uri"] = json!(address),
        Mood::Redirect => {
            return HttpResponse::Found().insert_header((header::LOCATION, format!("{url}/keys"))).finish();
        }
        Mood::Endless => {
            let spaces = web::Bytes::from(vec![b' '; 16 * 1024]);
            let endless = futures_util::stream::repeat_with(move || Ok::<_, actix_web::Error>(spaces.clone()));
            return HttpResponse::Ok().streaming(endless);
        }
        Mood::Silent => std::future::pending().await,
        Mood::Garbage => return HttpResponse::Ok().body("<html>sign in</html>"),
        Mood::Down => return HttpResponse::ServiceUnavailable().finish(),
    }
    HttpResponse::Ok().json(document)
}

async fn keys(shared: web::Data<Mutex<Shared>>) -> HttpResponse {
    HttpResponse::Ok().json(key_set(&shared.lock().unwrap().signers))
}

/// Lets everybody in who asks properly, and sends them back with a code.
async fn authorize(request: HttpRequest, shared: web::Data<Mutex<Shared>>) -> HttpResponse {
    let asked = parameters(request.query_string());
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let is_proper = of("response_type") == "code"
        && of("code_challenge_method") == "S256"
        && of("scope").split(' ').any(|scope| scope == "openid")
        && of("redirect_uri").starts_with("http://127.0.0.1:")
        && ["client_id", "code_challenge", "state", "nonce"].iter().all(|name| !of(name).is_empty());
    if !is_proper {
        return HttpResponse::BadRequest().body(format!("{asked:?}"));
    }
    let code = unique();
    let kept = Code {
        challenge: of("code_challenge"),
        client: of("client_id"),
        redirect: of("redirect_uri"),
        nonce: of("nonce"),
    };
    let back = format!("{}?code={code}&state={}", of("redirect_uri"), of("state"));
    shared.lock().unwrap().codes.insert(code, kept);
    HttpResponse::Found().insert_header((header::LOCATION, back)).finish()
}

/// Begins a sign-in on another device (RFC 8628).
async fn device(body: String, shared: web::Data<Mutex<Shared>>) -> HttpResponse {
    let client = parameters(&body).remove("client_id").unwrap_or_default();
    let code = unique();
    let mut shared = shared.lock().unwrap();
    shared.devices.insert(code.clone(), Device { client, polls: 0 });
    HttpResponse::Ok().json(json!({
        "device_code": code, "user_code": "WDJB-MJHT", "verification_uri": format!("{}/activate", shared.url),
        "expires_in": 600, "interval": 1,
    }))
}

async fn token(body: String, shared: web::Data<Mutex<Shared>>) -> HttpResponse {
    let asked = parameters(&body);
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let refused = |error: &str| HttpResponse::BadRequest().json(json!({ "error": error }));
    let mut shared = shared.lock().unwrap();
    let (client, nonce) = match of("grant_type") {
        "authorization_code" => {
            let Some(code) = shared.codes.remove(of("code")) else { return refused("invalid_grant") };
            let challenge = base64url(Sha256::digest(of("code_verifier")));
            if challenge != code.challenge || of("redirect_uri") != code.redirect || of("client_id") != code.client {
                return refused("invalid_grant");
            }
            (code.client, Some(code.nonce))
        }
        "urn:ietf:params:oauth:grant-type:device_code" => {
            let Some(device) = shared.devices.get_mut(of("device_code")) else { return refused("invalid_grant") };
            device.polls += 1;
            if device.polls == 1 {
                return refused("authorization_pending");
            }
            (device.client.clone(), None)
        }
        _ => return refused("unsupported_grant_type"),
    };
    let now = jiff::Timestamp::now().as_second();
    let mut claims = shared.person.clone();
    claims["iss"] = shared.url.clone().into();
    claims["aud"] = client.into();
    (claims["iat"], claims["exp"]) = (now.into(), (now + 300).into());
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    let token = shared.signers[0].sign(&claims);
    HttpResponse::Ok().json(json!({"access_token": unique(), "token_type": "Bearer", "id_token": token}))
}

fn parameters(text: &str) -> HashMap<String, String> {
    web::Query::<HashMap<String, String>>::from_query(text).map(web::Query::into_inner).unwrap_or_default()
}
