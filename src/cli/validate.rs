//! `agent validate`: everything that is wrong with a package, before anyone else sees it.

use std::path::{Path, PathBuf};

use clap::Args;
use owo_colors::OwoColorize as _;
use serde::Serialize;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::text::{counted, safe};
use crate::package::{Overrides, PackError, Problem, Severity, Source, SourceError, TreeError};

/// Check packages and print every problem with its place
#[derive(Args, Debug)]
#[command(after_help = "Example: agent validate ./my-agent")]
pub(super) struct Validate {
    /// Folders, agent.yaml, SKILL.md or Markdown files with front matter
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
}

/// What was found about one path.
#[derive(Serialize)]
struct Report {
    path: String,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    files: usize,
    problems: Vec<Finding>,
}

/// One problem, with the place where it has one.
#[derive(Serialize)]
pub(super) struct Finding {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u64>,
    severity: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
    message: String,
}

impl Finding {
    fn of(file: &str, problem: &Problem) -> Self {
        Self {
            file: file.to_owned(),
            line: Some(problem.place.line),
            column: Some(problem.place.column),
            severity: if problem.severity == Severity::Error { "error" } else { "warning" },
            field: problem.path.clone(),
            message: problem.message.clone(),
        }
    }

    /// What has no place in a document, with its causes.
    fn whole(file: &str, error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        let field = String::new();
        Self { file: file.to_owned(), line: None, column: None, severity: "error", field, message }
    }

    /// `path:line:column: error: …`, as editors and build tools read it.
    fn print(&self) -> String {
        let place = self.line.zip(self.column).map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        let field = if self.field.is_empty() { String::new() } else { format!("`{}`: ", safe(&self.field)) };
        let severity = if self.severity == "error" {
            format!("{}", "error".red().bold())
        } else {
            format!("{}", "warning".yellow().bold())
        };
        format!("{}{place}: {severity}: {field}{}", safe(&self.file), safe(&self.message))
    }
}

/// Everything that keeps the source at `path` from being used.
fn findings(context: &Context, path: &Path, error: &SourceError) -> Vec<Finding> {
    match error {
        SourceError::Tree(error) => of_tree(&context.shown(path), error),
        SourceError::Document { path, source } => {
            let file = context.shown(path);
            source.all().iter().map(|problem| Finding::of(&file, problem)).collect()
        }
        other => vec![Finding::whole(&context.shown(path_of(other).unwrap_or(path)), other)],
    }
}

/// One finding for each entry that cannot be packed.
fn of_tree(file: &str, error: &TreeError) -> Vec<Finding> {
    match error {
        TreeError::Several(errors) => errors.iter().map(|error| Finding::whole(file, error)).collect(),
        other => vec![Finding::whole(file, other)],
    }
}

fn path_of(error: &SourceError) -> Option<&Path> {
    Some(match error {
        SourceError::Io { path, .. }
        | SourceError::LeftOut { path, .. }
        | SourceError::NotFound(path)
        | SourceError::NotADocument(path)
        | SourceError::TooLarge(path)
        | SourceError::NoName(path) => path,
        SourceError::Several { folder, .. } => folder,
        _ => return None,
    })
}

/// Opens a source, printing everything that is wrong with it.
pub(super) fn open(context: &Context, path: &Path) -> Result<Source, Error> {
    let source = Source::open(path).map_err(|error| match &error {
        SourceError::Document { path, source } => {
            for finding in findings(context, path, &error) {
                Printer::line(&finding.print());
            }
            let errors = source.all().iter().filter(|problem| problem.severity == Severity::Error).count();
            Error::Invalid { what: context.shown(path), errors }
        }
        _ => Error::Source(error),
    })?;
    print_warnings(context, source.document(), source.warnings());
    Ok(source)
}

/// Tells what is probably a mistake.
pub(super) fn print_warnings(context: &Context, document: &Path, warnings: &[Problem]) {
    if !context.printer.quiet {
        for warning in warnings {
            Printer::line(&Finding::of(&context.shown(document), warning).print());
        }
    }
}

pub(super) fn validate(context: &Context, arguments: &Validate) -> Result<(), Error> {
    let reports: Vec<Report> = arguments.paths.iter().map(|path| report(context, &context.path(path))).collect();
    match context.printer.format {
        Format::Table => {
            for report in &reports {
                tell(context, report)?;
            }
        }
        Format::Json | Format::Jsonl => context.printer.json_list(&reports)?,
    }
    let count =
        |severity| reports.iter().flat_map(|report| &report.problems).filter(|p| p.severity == severity).count();
    match reports.iter().filter(|report| !report.valid).count() {
        0 => Ok(()),
        1 if reports.len() == 1 => {
            let problem = reports[0].problems.iter().find(|problem| problem.severity == "error");
            let what = problem.map_or(&reports[0].path, |problem| &problem.file).clone();
            Err(Error::Invalid { what, errors: count("error") })
        }
        invalid => Err(Error::Invalid { what: counted(invalid, "package"), errors: count("error") }),
    }
}

fn report(context: &Context, path: &Path) -> Report {
    let mut report =
        Report { path: context.shown(path), valid: false, name: None, version: None, files: 0, problems: vec![] };
    let source = match Source::open(path) {
        Err(error) => {
            report.problems = findings(context, path, &error);
            return report;
        }
        Ok(source) => source,
    };
    let document = context.shown(source.document());
    report.problems.extend(source.warnings().iter().map(|warning| Finding::of(&document, warning)));
    report.name = Some(source.metadata().name.clone());
    report.version = source.metadata().version.as_ref().map(ToString::to_string);
    match source.draft(&Overrides::default()) {
        Err(PackError::Tree(error)) => report.problems.extend(of_tree(&report.path, &error)),
        Err(error) => report.problems.push(Finding::whole(&report.path, &error)),
        Ok(draft) => {
            report.files = draft.config().files.len();
            report.valid = true;
        }
    }
    report
}

fn tell(context: &Context, report: &Report) -> Result<(), Error> {
    for problem in &report.problems {
        Printer::data(&problem.print())?;
    }
    if report.valid {
        let name = report.name.as_deref().unwrap_or_default();
        let version = report.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        let files = counted(report.files, "file");
        context.printer.done(&format!("{} is valid: {name}{version}, {files}", report.path));
    }
    Ok(())
}
