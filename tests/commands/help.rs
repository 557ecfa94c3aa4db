//! What `--help` says, and the verbs that only print.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn the_help_names_every_verb() {
    assert_snapshot!(Sandbox::new().agent("-h"), @r"
    exit 0
    -- stdout
    Store, find and ship AI agents as OCI artifacts

    Usage: agent [OPTIONS] <COMMAND>

    Commands:
      quickstart   Show the whole way of an agent: validate, push, find, pull
      init         Write a new agent into a folder of its name
      validate     Check packages and print every problem with its place
      build        Pack an agent into the local store
      push         Push an agent to a registry
      pull         Pull an agent into a folder of its name
      images       List the agents of the registry and of the local store
      search       Find agents in the registry
      inspect      Show everything known of a package
      versions     List the versions of a package, the newest first
      watch        Print new versions as they are pushed
      tag          Give something in the local store another name
      rmi          Remove names, and what nothing else needs, from the local store
      yank         Take a version back: it is no longer found or chosen, only pulled by its exact name
      unyank       Bring a version back that was yanked
      deprecate    Say that a version, or a whole package, should no longer be begun with
      delete       Delete a tag, or a manifest with all its tags, from a registry
      rate         Rate a package, once for each user; rating again replaces the rating
      login        Sign in to a registry
      logout       Forget the credential for a registry
      whoami       Print who you are to a registry
      user         Add, list and remove the users of a registry
      org          Add, list and remove organisations, and their members
      team         Add, list and remove the teams of an organisation, and their members
      token        Make, list and end access tokens
      visibility   Show or change who may see a package without a grant
      permission   Find out who may do what
      publisher    Let continuous integration publish a package without a stored secret
      configure    Set up profiles, and who may do what with a repository
      registry     Run a registry, or ask one
      version      Print the version of this program
      completions  Print a completion script for a shell

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
          --registry <URL>         Registry for names without a host, such as `http://127.0.0.1:5050`
                                   [env: `AGENT_REGISTRY_URL`]
          --profile <NAME>         Profile of the settings file to take registry and token from
          --plain-http             Speak plain HTTP to hosts other than this machine
          --ca-certificate <FILE>  PEM file with a further authority to trust
          --format <FORMAT>        How to print data on stdout [default: table] [possible values: table,
                                   json, jsonl]
      -q, --quiet                  Print references only, and nothing that is no error or warning
          --verbose                Tell how registry, credentials and source were chosen
    ");
}

#[test]
fn the_help_of_push_and_images() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.agent("push -h"), @r"
    exit 0
    -- stdout
    Push an agent to a registry

    Usage: agent push [OPTIONS] <NAME>

    Arguments:
      <NAME>  Name of the package as `name:tag`; the tag is `latest` where none is written

    Options:
          --path <PATH>              Folder or file to push
          --description <TEXT>       Description instead of the one in the package
          --set-version [<VERSION>]  Version instead of the one in the package; without a value, the one
                                     of the tag
          --created <TIME>           Time of making to record, in seconds since 1970 or as
                                     2026-01-31T12:00:00Z; without it none is [env: SOURCE_DATE_EPOCH]
          --force                    Replace other content behind a version tag
          --dry-run                  Tell what would be sent, and send nothing
      -a, --all-tags                 Push every tag that the local store has of this name
          --visibility <VISIBILITY>  Who may see it without a grant; settled before anything is sent
                                     [possible values: public, private, org]
      -h, --help                     Print help (see more with '--help')

    Global options:
          --registry <URL>         Registry for names without a host, such as `http://127.0.0.1:5050`
                                   [env: `AGENT_REGISTRY_URL`]
          --profile <NAME>         Profile of the settings file to take registry and token from
          --plain-http             Speak plain HTTP to hosts other than this machine
          --ca-certificate <FILE>  PEM file with a further authority to trust
          --format <FORMAT>        How to print data on stdout [default: table] [possible values: table,
                                   json, jsonl]
      -q, --quiet                  Print references only, and nothing that is no error or warning
          --verbose                Tell how registry, credentials and source were chosen

    Examples:
      agent push my-agent:latest
      agent push my-agent:1.0.0 --path ./src/my-agent
      agent push registry.example.com/team/my-agent:1.0.0 --dry-run
    ");
    assert_snapshot!(sandbox.agent("images -h"), @r#"
    exit 0
    -- stdout
    List the agents of the registry and of the local store

    Usage: agent images [OPTIONS] [REPOSITORY]

    Arguments:
      [REPOSITORY]  One repository, with all its tags; works with any registry

    Options:
      -f, --filter <FILTER>  Show only what matches; may be given several times
      -a, --all              List also what no tag points at any more
          --local            List only the local store
          --remote           List only the registry
          --limit <COUNT>    Most versions to take from the registry [default: 1000]
      -h, --help             Print help (see more with '--help')

    Global options:
          --registry <URL>         Registry for names without a host, such as `http://127.0.0.1:5050`
                                   [env: `AGENT_REGISTRY_URL`]
          --profile <NAME>         Profile of the settings file to take registry and token from
          --plain-http             Speak plain HTTP to hosts other than this machine
          --ca-certificate <FILE>  PEM file with a further authority to trust
          --format <FORMAT>        How to print data on stdout [default: table] [possible values: table,
                                   json, jsonl]
      -q, --quiet                  Print references only, and nothing that is no error or warning
          --verbose                Tell how registry, credentials and source were chosen

    Examples:
      agent images
      agent images --filter "sentiment*" --filter author:ai-team
      agent images --filter since:7d --format json
      agent images registry.example.com/team/my-agent
    "#);
}

#[test]
fn nothing_typed_gets_the_help_and_a_failure() {
    let ran = Sandbox::new().agent("").failed(2);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("Usage: agent"), "{ran}");
}

#[test]
fn the_version_and_completions() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.agent("version").ok().stdout, format!("agent {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(sandbox.agent("version --format json").ok().json()["version"], env!("CARGO_PKG_VERSION"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.agent(&format!("completions {shell}")).ok().stdout;
        assert!(script.contains("quickstart"), "{shell}");
    }
    sandbox.agent("completions tcsh").failed(2);
}
