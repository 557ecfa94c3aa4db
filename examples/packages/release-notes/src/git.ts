// Reads a git repository. Nothing here writes, and nothing goes through a shell.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const MAX_COMMITS = 500;
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

export interface Commit {
  hash: string;
  author: string;
  subject: string;
  body: string;
}

/** The commits of `from..to`, newest first. */
export async function listCommits(folder: string, from: string, to: string): Promise<Commit[]> {
  // Unit and record separators can stand in no subject typed by a person.
  const format = "--format=%h%x1f%an%x1f%s%x1f%b%x1e";
  const range = `${revision(from)}..${revision(to)}`;
  const text = await git(folder, ["log", "--no-merges", `--max-count=${MAX_COMMITS}`, format, range]);
  return text.split("\x1e").map((record) => record.trim()).filter(Boolean).map((record) => {
    const [hash = "", author = "", subject = "", body = ""] = record.split("\x1f");
    return { hash, author, subject, body: body.trim() };
  });
}

/** The files a commit touched, each as `added removed path`. */
export async function changedFiles(folder: string, commit: string): Promise<string[]> {
  const text = await git(folder, ["show", "--numstat", "--format=", revision(commit)]);
  return text.trim().split("\n").filter(Boolean).map((line) => line.replaceAll("\t", " "));
}

/** A revision as given, unless git could take it for an option or a range. */
export function revision(text: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.\/~^@{}-]*$/.test(text) || text.includes("..")) {
    throw new Error(`no revision: ${JSON.stringify(text)}`);
  }
  return text;
}

async function git(folder: string, args: string[]): Promise<string> {
  const { stdout } = await run("git", ["-C", folder, ...args, "--"], { maxBuffer: MAX_OUTPUT_BYTES });
  return stdout;
}
