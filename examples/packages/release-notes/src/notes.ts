// Release notes without a model: the commits, grouped by the prefix of their subject.

import type { Commit } from "./git.ts";

const SECTIONS: [string, RegExp][] = [
  ["Breaking changes", /^[a-z]+(\([^)]*\))?!:\s*/i],
  ["Features", /^feat(\([^)]*\))?:\s*/i],
  ["Fixes", /^fix(\([^)]*\))?:\s*/i],
  ["Performance", /^perf(\([^)]*\))?:\s*/i],
  ["Documentation", /^docs(\([^)]*\))?:\s*/i],
  ["Other changes", /^/],
];

export function group(commits: Commit[]): string {
  const lines = new Map<string, string[]>();
  for (const { hash, subject } of commits) {
    const found = SECTIONS.find(([, pattern]) => pattern.test(subject));
    if (!found) continue;
    const [section, pattern] = found;
    const line = `- ${subject.replace(pattern, "")} (${hash})`;
    lines.set(section, [...(lines.get(section) ?? []), line]);
  }
  const parts = SECTIONS.filter(([section]) => lines.has(section));
  if (parts.length === 0) return "No changes.\n";
  return parts.map(([section]) => `## ${section}\n\n${lines.get(section)?.join("\n")}\n`).join("\n");
}
