//! The story `agent quickstart` tells: each command is printed as one would type it, read by the same parser, and run
//! by the same verbs.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use owo_colors::OwoColorize as _;

use super::arguments::{Arguments, Global};
use super::context::Context;
use super::error::Error;
use super::examples::EXAMPLES;
use super::printer::{Format, Printer};
use super::quickstart::Quickstart;
use super::serve::Embedded;
use super::stop::stop_signal;
use super::text::counted;
use crate::api::Secret;
use crate::package::{Source, compare};

/// Folder of the registry's data, and of settings, store and cache, inside the working folder.
const REGISTRY_FOLDER: &str = "registry";
const HOME_FOLDER: &str = "home";
/// Where the story pulls to.
const PULLED_FOLDER: &str = "pulled";
/// The package that is searched, pulled and compared, and what it can do.
const HERO: &str = "sentiment-analyzer";
const CAPABILITY: &str = "sentiment-analysis";

/// Tells it, in a folder of its own.
pub(super) async fn tell(context: &Context, arguments: &Quickstart) -> Result<(), Error> {
    let (folder, _temporary) = if let Some(folder) = &arguments.directory {
        (absolute(&context.path(folder))?, None)
    } else {
        let made = tempfile::Builder::new().prefix("agent-quickstart-").tempdir();
        let made = made.map_err(|source| Error::io("make a folder in", &std::env::temp_dir(), source))?;
        (made.path().to_owned(), Some(made))
    };
    for example in EXAMPLES {
        example.write(&folder)?;
    }
    let stop = stop_signal().map_err(Error::Runtime)?;
    let registry = Embedded::start(&folder.join(REGISTRY_FOLDER)).await?;
    let (url, token) = (registry.url().to_owned(), registry.token().map(str::to_owned));
    let story = Story { printer: context.printer, folder, url, token };
    let told = story.run().await;
    if told.is_ok() && arguments.keep {
        story.tell_how_to_go_on();
        stop.await;
    }
    registry.stop().await?;
    told?;
    if !arguments.keep {
        story.tell_the_end(arguments.directory.is_some());
    }
    Ok(())
}

fn absolute(folder: &Path) -> Result<PathBuf, Error> {
    let failed = |source| Error::io("make", folder, source);
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::read_dir(folder).map_err(failed)?.next().is_some() {
        return Err(Error::Occupied(folder.display().to_string()));
    }
    folder.canonicalize().map_err(failed)
}

struct Story {
    printer: Printer,
    folder: PathBuf,
    url: String,
    token: Option<String>,
}

impl Story {
    async fn run(&self) -> Result<(), Error> {
        self.heading(&format!("A registry is running at {}, with three example agents in a folder", self.url));
        self.typed(&format!("cd {}", self.folder.display()));
        self.typed(&format!("export AGENT_REGISTRY_URL={}", self.url));
        self.show_token();
        self.typed(&format!("export AGENT_HOME={}", self.folder.join(HOME_FOLDER).display()));

        self.heading("Are they in order?");
        let names: Vec<_> = EXAMPLES.iter().map(|example| example.name).collect();
        self.agent(&format!("validate {}", names.join(" "))).await?;

        self.heading("Push them");
        for name in &names {
            self.agent(&format!("push {name}:latest")).await?;
        }

        self.heading("What is there?");
        self.agent("images").await?;

        self.heading("Find one by what it can do");
        self.agent(&format!("images --filter capability:{CAPABILITY}")).await?;

        self.heading("Pull it somewhere else");
        self.agent(&format!("pull {HERO}@^1.0 --directory {PULLED_FOLDER}")).await?;
        self.prove_identical()?;

        self.heading("Once more: nothing is moved twice");
        self.agent(&format!("push {HERO}:latest")).await?;
        self.agent(&format!("pull {HERO}@^1.0 --directory {PULLED_FOLDER}")).await
    }

    /// Of the administrator that the first start has made; it dies with the registry of this story.
    fn show_token(&self) {
        if let Some(token) = &self.token {
            self.typed(&format!("export AGENT_REGISTRY_TOKEN={token}"));
        }
    }

    /// Prints a command and runs it.
    async fn agent(&self, words: &str) -> Result<(), Error> {
        self.typed(&format!("agent {words}"));
        let line = std::iter::once("agent").chain(words.split(' '));
        let Arguments { global, config, command } = Arguments::try_parse_from(line).map_err(Error::CommandLine)?;
        // What the `export` lines say, and nothing of the surroundings of this process.
        let global = Global {
            registry_variable: Some(self.url.clone()),
            home: Some(self.folder.join(HOME_FOLDER)),
            token_variable: self.token.as_deref().map(Secret::new),
            pat_variable: None,
            docker_config: Some(self.folder.join(HOME_FOLDER)),
            auth_file: None,
            runtime_directory: None,
            ..global
        };
        let printer = Printer { format: Format::Table, ..self.printer };
        let context = Context { global, printer, config, directory: self.folder.clone() };
        match command {
            Some(command) => super::run(&context, command).await,
            None => Ok(()),
        }
    }

    /// Compares the pulled copy with the source: the list of files, and every file byte for byte.
    fn prove_identical(&self) -> Result<(), Error> {
        let (source, copy) = (self.folder.join(HERO), self.folder.join(PULLED_FOLDER).join(HERO));
        let draft = Source::open(&source)?.draft(&crate::package::Overrides::default())?;
        let mut differences: Vec<String> = compare(&copy, draft.config())
            .map_err(crate::package::PackError::from)?
            .iter()
            .map(ToString::to_string)
            .collect();
        let files = &draft.config().files;
        for file in files {
            let read = |root: &Path| {
                let path = root.join(file.path.as_str());
                fs::read(&path).map_err(|error| Error::io("read", &path, error))
            };
            if read(&source)? != read(&copy)? {
                differences.push(format!("changed {}", file.path));
            }
        }
        if !differences.is_empty() {
            return Err(Error::NotIdentical(differences));
        }
        self.printer
            .done(&format!("{PULLED_FOLDER}/{HERO} equals {HERO}: {}, byte for byte", counted(files.len(), "file")));
        Ok(())
    }

    fn tell_how_to_go_on(&self) {
        self.heading("The registry goes on running; in another terminal:");
        self.typed(&format!("export AGENT_REGISTRY_URL={}", self.url));
        self.show_token();
        self.typed("agent init my-agent");
        self.typed("agent push my-agent:latest");
        self.typed("agent images");
        self.say(&format!("\nIts data is in {}. Ctrl-C stops it.", self.folder.display()));
    }

    fn tell_the_end(&self, kept: bool) {
        self.heading("That was the whole way. Your own registry and agent:");
        self.typed("agent registry serve --data ./registry-data    # in a terminal of its own; it shows a token");
        self.typed("agent login    # no user, that token as the secret");
        self.typed("agent init my-agent");
        self.typed("agent push my-agent:latest");
        if kept {
            self.say(&format!("\nEverything of this tour is in {}.", self.folder.display()));
        }
    }

    fn heading(&self, text: &str) {
        self.say(&format!("\n{}", text.bold()));
    }

    fn typed(&self, command: &str) {
        self.say(&format!("{} {}", "$".dimmed(), command.cyan()));
    }

    fn say(&self, styled: &str) {
        if !self.printer.quiet {
            Printer::line(styled);
        }
    }
}
