// What the grouping and the guard around revisions promise.

import assert from "node:assert/strict";
import { test } from "node:test";
import { revision } from "./git.ts";
import { group } from "./notes.ts";

const commit = (subject: string) => ({ hash: "abc1234", author: "A", subject, body: "" });

test("commits are grouped by their prefix", () => {
  const notes = group([commit("fix(api): answer 404"), commit("Tidy"), commit("feat!: drop v1"), commit("feat: add v2")]);
  assert.equal(
    notes,
    "## Breaking changes\n\n- drop v1 (abc1234)\n\n## Features\n\n- add v2 (abc1234)\n\n" +
      "## Fixes\n\n- answer 404 (abc1234)\n\n## Other changes\n\n- Tidy (abc1234)\n",
  );
});

test("no commits are no changes", () => assert.equal(group([]), "No changes.\n"));

test("a revision cannot be an option or a range", () => {
  for (const good of ["HEAD", "v1.2.0", "feature/x", "HEAD~3", "main@{1}"]) assert.equal(revision(good), good);
  for (const bad of ["", "--output=x", "a..b", "a b", ";ls"]) assert.throws(() => revision(bad));
});
