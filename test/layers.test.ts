import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/*
 * `npm run lint` checks with dependency-cruiser which folder imports which. These tests check what it has no rule for.
 * They read the sources from the root of the repository.
 */

interface Cruise {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly {
      readonly resolved: string;
      readonly dependencyTypes: readonly string[];
    }[];
  }[];
}

test("package.json has exactly the dependencies that src and bin import", () => {
  const json = execFileSync(
    "node_modules/.bin/depcruise",
    ["--config", ".dependency-cruiser.js", "-T", "json", "src", "bin"],
    { encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  const { modules } = JSON.parse(json) as Cruise;
  const imported = modules
    // What the page imports becomes a part of it when it is built.
    .filter(({ source }) => /^(src|bin)\/(?!page\/)/.test(source))
    .flatMap(({ dependencies }) => dependencies)
    .map(({ resolved }) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(resolved))
    .flatMap((found) => found?.[1] ?? [])
    .filter((name) => !name.startsWith("@types"));
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
    dependencies: Record<string, string>;
  };
  assert.deepEqual(
    Array.from(new Set(imported)).sort(),
    Object.keys(dependencies).sort(),
  );
});

test("the picture of the layers shows the imports as they are", () => {
  const drawn = execFileSync(
    "node",
    [
      "-e",
      'import("./docs/architecture/draw-layers.js").then(async ({ drawLayers }) => process.stdout.write(await drawLayers()))',
    ],
    { encoding: "utf8" },
  );
  assert.equal(
    drawn,
    readFileSync("docs/architecture/layers.svg", "utf8"),
    "npm run layers draws it again",
  );
});
