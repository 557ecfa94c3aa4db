//! Independent clients drive our server, and our command drives another server: real programs on both ends.

#[path = "../support/contents.rs"]
mod contents;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/programs.rs"]
mod programs;

mod access;
mod agent;
mod conformance;
mod cosign;
mod cosign2;
mod crane;
mod distribution;
mod docker;
mod helm;
mod home;
mod http;
mod image;
mod layout;
mod matrix;
mod oci_client;
mod openapi;
mod oras;
mod packages;
mod regctl;
mod scenes;
mod signed_in;
mod signer;
mod skopeo;
mod taken_back;
mod wire;
