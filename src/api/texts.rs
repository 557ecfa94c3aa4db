//! What the texts of the API look like, for its description: their forms, limits and an example each.

use std::borrow::Cow;

use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, Ref, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{Expiry, Grantee, MAX_PATTERN_LENGTH, MAX_QUERY_LENGTH};
use crate::oci::{Digest, MAX_NAME_LENGTH, MAX_TAG_LENGTH, RepositoryName, Tag};

/// One component of a repository name.
macro_rules! component {
    () => {
        "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*"
    };
}

/// Most bytes of the name of a user, an organisation or a team.
const MAX_ACCOUNT_LENGTH: usize = 64;

/// Describes types whose values are texts.
macro_rules! texts {
    ($($type:ty, $name:literal, $about:literal, $max:expr, $pattern:expr, $example:literal;)+) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some($about));
                let text = text.min_length(Some(1)).max_length(Some($max)).pattern(Some($pattern));
                text.examples([$example]).build().into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    )+};
}

/// The name of a user.
pub(crate) struct UserName;
/// The name of an organisation.
pub(crate) struct OrganisationName;
/// The name of a team within its organisation.
pub(crate) struct TeamText;
/// A team with its organisation.
pub(crate) struct TeamReference;
/// A pattern of repository names.
pub(crate) struct RepositoryPattern;
/// A search query.
pub(crate) struct QueryText;
/// What names a version of a package.
pub(crate) struct VersionReference;

texts! {
    RepositoryName, "RepositoryName", "A repository: components divided by slashes, the first a user or an organisation.",
        MAX_NAME_LENGTH, concat!("^", component!(), "(?:/", component!(), ")*$"), "acme/writer";
    Tag, "Tag", "A tag.", MAX_TAG_LENGTH, "^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$", "1.0.0";
    UserName, "UserName", "A user; the name is also a namespace.", MAX_ACCOUNT_LENGTH,
        concat!("^", component!(), "$"), "ada";
    OrganisationName, "OrganisationName", "An organisation; the name is also a namespace.", MAX_ACCOUNT_LENGTH,
        concat!("^", component!(), "$"), "acme";
    TeamText, "TeamName", "A team, within its organisation.", MAX_ACCOUNT_LENGTH,
        concat!("^", component!(), "$"), "devs";
    TeamReference, "TeamReference", "A team as `organisation/team`.", 2 * MAX_ACCOUNT_LENGTH + 1,
        concat!("^", component!(), "/", component!(), "$"), "acme/devs";
    RepositoryPattern, "RepositoryPattern",
        "Repositories: a name in which `*` stands for any text within a component and `**` for any components.",
        MAX_PATTERN_LENGTH, "^[a-z0-9._*/-]+$", "acme/**";
}

/// Describes texts that may be anything up to a length.
macro_rules! free_texts {
    ($($type:ty, $name:literal, $about:literal, $max:expr, $example:literal;)+) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some($about));
                text.max_length(Some($max)).examples([$example]).build().into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    )+};
}

free_texts! {
    QueryText, "Query",
        "Words and conditions, such as `summarise capability:review author:ai-team -name:*test*`; all of them hold.",
        MAX_QUERY_LENGTH, "capability:text-generation";
    VersionReference, "VersionReference",
        "A digest, a tag, a version, a range such as `^1.2`, or `latest`.", MAX_VERSION_REFERENCE_LENGTH, "1.0.0";
}

/// Longest text that names a version.
const MAX_VERSION_REFERENCE_LENGTH: usize = 256;

impl PartialSchema for Digest {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let text = text.description(Some("Names bytes by their hash: `sha256:` or `sha512:` with hexadecimal digits."));
        let text = text.pattern(Some("^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"));
        text.examples(["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]).build().into()
    }
}

impl ToSchema for Digest {
    fn name() -> Cow<'static, str> {
        "Digest".into()
    }
}

impl PartialSchema for Expiry {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let relative = text().pattern(Some("^[0-9]{1,4}[hdw]$")).description(Some("Hours, days or weeks from now."));
        let time = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        let never = text().enum_values(Some(["never"]));
        let either = OneOfBuilder::new().item(relative).item(time).item(never);
        let either = either.description(Some("When something ends.")).examples(["30d", "never"]).build();
        Schema::OneOf(either).into()
    }
}

impl ToSchema for Expiry {
    fn name() -> Cow<'static, str> {
        "Expiry".into()
    }
}

impl PartialSchema for Grantee {
    fn schema() -> RefOr<Schema> {
        let one = |kind: &str, name: RefOr<Schema>| {
            let only = ObjectBuilder::new().property(kind, name).required(kind);
            only.additional_properties(Some(AdditionalProperties::FreeForm(false)))
        };
        let either = OneOfBuilder::new()
            .item(one("user", reference::<UserName>()))
            .item(one("team", reference::<TeamReference>()))
            .item(one("organisation", reference::<OrganisationName>()));
        let example = serde_json::json!({"team": "acme/devs"});
        Schema::OneOf(either.description(Some("Who has a grant.")).examples([example]).build()).into()
    }
}

impl ToSchema for Grantee {
    fn name() -> Cow<'static, str> {
        "Grantee".into()
    }
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}
