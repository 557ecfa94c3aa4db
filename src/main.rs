//! The command `agent`.

fn main() -> std::process::ExitCode {
    agent_registry::cli::main()
}
