//! One request for every operation of the REST API, with what it needs to be there first.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Ask, Stage, login, user};

impl Stage {
    /// A request of the REST API, by method and path as OpenAPI has them.
    pub(crate) async fn rest(&self, operation: &str, on: &str, column: &str) -> Ask {
        let (method, template) = operation.split_once(' ').unwrap();
        let method = method.parse::<Method>().unwrap();
        let part = template.strip_prefix("/api/v1").unwrap().split('/').nth(1).unwrap_or_default();
        match part {
            "users" | "accounts" => self.about_users(method, template, on, column).await,
            "organisations" if template.contains("/teams") => self.about_teams(method, template).await,
            "organisations" => self.about_organisations(method, template, on, column).await,
            "tokens" => self.about_tokens(method, template, on, column).await,
            "publishers" => self.about_publishers(method, template, on).await,
            "packages" if template != "/api/v1/packages" => self.about_packages(method, template, on, column).await,
            "permissions" | "tag-rules" | "repositories" => self.about_rights(method, template, on).await,
            _ => self.about_all(method, template, on),
        }
    }

    fn about_all(&self, method: Method, template: &str, on: &str) -> Ask {
        let body = match (method.as_str(), template) {
            ("POST", "/api/v1/login") => login(),
            ("POST", "/api/v1/oidc/token") => json!({"token": "of.no.issuer"}),
            ("POST", "/api/v1/admin/backup") => json!({"directory": self.backups.path().join(self.name())}),
            ("POST", "/api/v1/admin/signing-keys/rotate") | ("GET", _) => Value::Null,
            other => panic!("there is no request for {other:?}"),
        };
        let path = template.replace("{repository}", &format!("acme/{on}")).replace("{version}", "1.0.0");
        Ask::new(method, path, &body)
    }

    async fn about_packages(&self, method: Method, template: &str, on: &str, column: &str) -> Ask {
        let name = format!("acme/{on}");
        let path = template.replace("{repository}", &name).replace("{version}", "1.0.0").replace("{user}", "admin");
        let path = if path.ends_with("/resolve") { format!("{path}?version=1.0.0") } else { path };
        let rating = json!({"stars": 4});
        let body = match (method.as_str(), template.rsplit('/').next().unwrap()) {
            ("PUT", "rating") => rating.clone(),
            ("PUT", _) => json!({"message": "not good"}),
            // It may be there, if this column may have one.
            (_, "rating") => {
                self.send(column, &Ask::new(Method::PUT, path.clone(), &rating)).await;
                Value::Null
            }
            ("DELETE", "{user}") => {
                self.administer(Method::PUT, &format!("/api/v1/packages/{name}/rating"), &rating).await;
                Value::Null
            }
            _ => Value::Null,
        };
        Ask::new(method, path, &body)
    }

    async fn about_users(&self, method: Method, template: &str, on: &str, column: &str) -> Ask {
        let who = match (method.as_str(), on) {
            (_, "oneself") => user(column).to_owned(),
            ("GET", _) => "bystander".to_owned(),
            _ => self.new_user().await,
        };
        if template.ends_with("/free") {
            self.administer(Method::DELETE, &format!("/api/v1/users/{who}"), &Value::Null).await;
        }
        let body = match template.rsplit('/').next().unwrap() {
            "users" if method == Method::POST => json!({"name": self.name()}),
            "password" => json!({"password": "battery staple"}),
            "administrator" => json!({"is_administrator": true}),
            "identities" if method != Method::GET => {
                json!({"issuer": "https://ci.example.com", "subject": self.name()})
            }
            _ => Value::Null,
        };
        let path = template.replace("{name}", &who);
        if !template.ends_with("/identities") || method != Method::DELETE {
            return Ask::new(method, path, &body);
        }
        self.administer(Method::PUT, &path, &body).await;
        let subject = body["subject"].as_str().unwrap();
        Ask::new(method, format!("{path}?issuer=https://ci.example.com&subject={subject}"), &Value::Null)
    }

    async fn about_organisations(&self, method: Method, template: &str, on: &str, column: &str) -> Ask {
        let is_member = template.ends_with("/members/{user}");
        let who = match (is_member, on) {
            (true, "oneself") => user(column).to_owned(),
            (true, _) => self.new_user().await,
            (false, _) => String::new(),
        };
        let is_thrown_away = on == "oneself" || (method == Method::DELETE && !is_member);
        let name = if is_thrown_away { self.new_organisation().await } else { "acme".to_owned() };
        if is_member && method == Method::DELETE && who != "owner" {
            self.join(&name, &who).await;
        }
        if on == "oneself" && who == "owner" {
            let other = self.new_user().await;
            let path = format!("/api/v1/organisations/{name}/members/{other}");
            self.administer(Method::PUT, &path, &json!({"role": "owner"})).await;
        }
        let body = match (method.as_str(), is_member) {
            ("POST", _) => json!({"name": self.name()}),
            ("PATCH", _) => json!({"default_visibility": "private"}),
            ("PUT", true) => json!({"role": "member"}),
            _ => Value::Null,
        };
        Ask::new(method, template.replace("{name}", &name).replace("{user}", &who), &body)
    }

    async fn about_teams(&self, method: Method, template: &str) -> Ask {
        let is_member = template.ends_with("/members/{user}");
        let is_thrown_away = method == Method::DELETE && !is_member;
        let team = if is_thrown_away { self.name() } else { "devs".to_owned() };
        if is_thrown_away {
            self.make("/api/v1/organisations/acme/teams", &json!({"name": team})).await;
        }
        let path = template.replace("{name}", "acme").replace("{team}", &team).replace("{user}", "bystander");
        if is_member {
            self.administer(Method::PUT, &path, &json!({})).await;
        }
        let body = match method.as_str() {
            "POST" => json!({"name": self.name()}),
            "PATCH" => json!({"role": null}),
            "PUT" => json!({}),
            _ => Value::Null,
        };
        Ask::new(method, path, &body)
    }

    async fn about_tokens(&self, method: Method, template: &str, on: &str, column: &str) -> Ask {
        let who = if on == "oneself" { user(column) } else { "bystander" };
        if !template.contains("{id}") {
            let body = if method == Method::POST { json!({"name": "another"}) } else { Value::Null };
            return Ask::new(method, format!("{template}?user={who}"), &body);
        }
        let made = self.make(&format!("/api/v1/tokens?user={who}"), &json!({"name": "to go"})).await;
        let body = if method == Method::POST { json!({"overlap_seconds": 0}) } else { Value::Null };
        Ask::new(method, template.replace("{id}", &made["id"].to_string()), &body)
    }

    async fn about_publishers(&self, method: Method, template: &str, on: &str) -> Ask {
        let claims = json!({"repository_id": "1"});
        let new = json!({"repository": format!("acme/{on}"), "issuer": "https://ci.example.com", "claims": claims});
        match method {
            Method::GET => Ask::new(method, format!("{template}?repository=acme/{on}"), &Value::Null),
            Method::POST => Ask::new(method, template, &new),
            _ => {
                let made = self.make("/api/v1/publishers", &new).await;
                Ask::new(method, template.replace("{id}", &made["id"].to_string()), &Value::Null)
            }
        }
    }

    async fn about_rights(&self, method: Method, template: &str, on: &str) -> Ask {
        let name = if on == "new" { format!("acme/{}", self.name()) } else { format!("acme/{on}") };
        let at = format!("{template}?repository={name}");
        match (method.as_str(), template) {
            ("PUT", "/api/v1/permissions") => {
                let grant = json!({"repository": name, "grantee": {"user": "bystander"}, "level": "read"});
                Ask::new(method, template, &grant)
            }
            ("DELETE", "/api/v1/permissions") => {
                let grant = json!({"repository": name, "grantee": {"user": "bystander"}, "level": "read"});
                self.administer(Method::PUT, template, &grant).await;
                Ask::new(method, format!("{at}&user=bystander"), &Value::Null)
            }
            ("GET", "/api/v1/permissions/explain") => {
                Ask::new(method, format!("{at}&user=bystander&action=pull"), &Value::Null)
            }
            ("PUT", "/api/v1/tag-rules") => {
                let rule = json!({"pattern": "never-*", "kind": "immutable"});
                Ask::new(method, at, &json!({"rules": [rule]}))
            }
            (_, "/api/v1/permissions" | "/api/v1/tag-rules") => Ask::new(method, at, &Value::Null),
            ("PUT", _) => {
                let wanted = if on == "private" { "org" } else { "private" };
                Ask::new(method, template.replace("{repository}", &name), &json!({"visibility": wanted}))
            }
            _ => Ask::new(method, template.replace("{repository}", &name), &Value::Null),
        }
    }
}
