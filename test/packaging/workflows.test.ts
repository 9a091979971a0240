import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { parse } from "yaml";

interface Workflow {
  readonly jobs: Record<
    string,
    { readonly steps: readonly { readonly run?: string }[] }
  >;
}

function commandsOf(path: string): string[] {
  const { jobs } = parse(readFileSync(path, "utf8")) as Workflow;
  return Object.values(jobs)
    .flatMap(({ steps }) => steps)
    .flatMap(({ run }) => run ?? []);
}

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
  scripts: Record<string, string>;
};

suite("workflows for a forge", () => {
  test(".github/workflows/test.yml runs all tests and makes all packages", () => {
    const commands = commandsOf(".github/workflows/test.yml");
    assert.ok(commands.includes(".ci/run"));
    assert.ok(existsSync(".ci/run"));
    const made = commands.flatMap(
      (command) => /^npm run (\S+)/.exec(command)?.[1] ?? [],
    );
    assert.deepEqual(
      made.toSorted(),
      Object.keys(scripts)
        .filter((name) => name.startsWith("package:"))
        .toSorted(),
    );
  });

  test("examples/container runs the smoke test with no more rights than it needs", () => {
    const github = commandsOf("examples/container/github.yml").at(-1) ?? "";
    assert.match(
      github,
      /--read-only --cap-drop ALL --cap-add NET_ADMIN --entrypoint ipvsadm-smoke \S+\/ipvsadm:/,
    );
    const gitlab = parse(
      readFileSync("examples/container/gitlab-ci.yml", "utf8"),
    ) as Record<string, { script: string[] }>;
    assert.deepEqual(gitlab["ipvsadm-smoke"]?.script, ["ipvsadm-smoke"]);
    assert.match(
      readFileSync("bin/package-image", "utf8"),
      /usr\/bin\/ipvsadm-smoke"$/m,
    );
  });
});
