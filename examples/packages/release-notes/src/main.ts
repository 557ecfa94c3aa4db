// The command: `node src/main.ts FROM [TO]`, in a git repository.

import { write } from "./agent.ts";
import { listCommits } from "./git.ts";
import { group } from "./notes.ts";

const [from, to = "HEAD"] = process.argv.slice(2);
const { MODEL_URL = "https://api.openai.com/v1", MODEL = "gpt-4o-mini", MODEL_API_KEY } = process.env;

if (!from) {
  console.error("usage: node src/main.ts FROM [TO]");
  process.exitCode = 2;
} else if (MODEL_API_KEY) {
  console.log(await write({ url: MODEL_URL, name: MODEL, key: MODEL_API_KEY }, { folder: ".", from, to }));
} else {
  console.log(group(await listCommits(".", from, to)));
}
