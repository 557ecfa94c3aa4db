//! What `agent init` writes: purposes with their prompts, and a small program for each runtime.

/// What an agent is for.
pub(super) struct Purpose {
    /// The name for `--template`.
    pub name: &'static str,
    pub description: &'static str,
    /// Items of a YAML list.
    pub capabilities: &'static str,
    pub prompt: &'static str,
}

/// Purposes of agents with a program; the first one is the default. The others are the reference tool's.
pub(super) const PURPOSES: &[Purpose] = &[
    Purpose {
        name: "assistant",
        description: "Answers questions in a few clear sentences",
        capabilities: "text-generation",
        prompt: "Answer in a few clear sentences. Say so when you do not know.",
    },
    Purpose {
        name: "chatbot",
        description: "Chats with people and keeps to the subject",
        capabilities: "chat, text-generation",
        prompt: "You talk with people. Be friendly and brief, keep to the subject, and ask when a request is unclear.",
    },
    Purpose {
        name: "sentiment",
        description: "Tells whether a text sounds positive, negative or neutral",
        capabilities: "sentiment-analysis",
        prompt: "Answer with one word for the sentiment of the text: positive, negative or neutral.",
    },
    Purpose {
        name: "summarizer",
        description: "Shortens texts to what matters",
        capabilities: "summarization",
        prompt: "Summarise the text in at most five sentences. Add nothing that is not in it.",
    },
    Purpose {
        name: "translator",
        description: "Translates texts into English",
        capabilities: "translation",
        prompt: "Translate the text into English. Keep its tone and formatting.",
    },
    Purpose {
        name: "data-analyzer",
        description: "Explains what tables and numbers say",
        capabilities: "data-analysis",
        prompt: "Explain what the data says. Name the numbers you rely on, and what cannot be concluded.",
    },
    Purpose {
        name: "content-gen",
        description: "Drafts short texts from a few notes",
        capabilities: "content-generation, text-generation",
        prompt: "Write a short text from the notes. Invent no facts.",
    },
];

/// Instructions without a program.
pub(super) const SKILL: Purpose = Purpose {
    name: "skill",
    description: "Says what an assistant should do when asked for this",
    capabilities: "",
    prompt: "Describe here what the assistant should do.",
};

/// A file to write, with `{{…}}` to be filled in.
pub(super) type File = (&'static str, &'static str);

/// The files of a skill.
pub(super) const SKILL_FILES: &[File] =
    &[("SKILL.md", include_str!("templates/skill/SKILL.md")), ("README.md", include_str!("templates/skill/README.md"))];

const AGENT: File = ("agent.yaml", include_str!("templates/agent.yaml"));
const README: File = ("README.md", include_str!("templates/README.md"));
const PROMPT: File = ("prompt.md", include_str!("templates/prompt.md"));

/// A language with its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Runtime {
    Python,
    #[value(alias = "node", alias = "typescript", alias = "javascript")]
    Nodejs,
    Go,
}

impl Runtime {
    /// The name in `agent.yaml`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Nodejs => "nodejs",
            Self::Go => "go",
        }
    }

    /// How the program is started.
    pub(super) fn start(self) -> &'static str {
        match self {
            Self::Python => "python3 main.py",
            Self::Nodejs => "node index.mjs",
            Self::Go => "go run .",
        }
    }

    /// All files of an agent.
    pub(super) fn files(self) -> [File; 5] {
        let [program, manifest] = match self {
            Self::Python => [
                ("main.py", include_str!("templates/python/main.py")),
                ("requirements.txt", include_str!("templates/python/requirements.txt")),
            ],
            Self::Nodejs => [
                ("index.mjs", include_str!("templates/nodejs/index.mjs")),
                ("package.json", include_str!("templates/nodejs/package.json")),
            ],
            Self::Go => {
                [("main.go", include_str!("templates/go/main.go")), ("go.mod", include_str!("templates/go/go.mod"))]
            }
        };
        [AGENT, README, PROMPT, program, manifest]
    }
}
