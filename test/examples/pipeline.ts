import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

const SCRIPT = "examples/ci/verify-tables";

/** A repository as the pipelines expect it: the script in `ci`, the tables in `tables`. @returns its folder */
export function pipelineRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm-pipeline."));
  mkdirSync(join(folder, "ci"));
  cpSync(SCRIPT, join(folder, "ci/verify-tables"));
  cpSync("examples/tables", join(folder, "tables"), {
    recursive: true,
    filter: (name) => !name.endsWith(".md"),
  });
  return folder;
}

/** A program `ssh` that runs the command here, in place of another machine. */
export function writeLocalSsh(folder: string): void {
  const text = '#!/bin/sh\nshift\nexec "$@"\n';
  writeFileSync(join(folder, "ssh"), text, { mode: 0o755 });
}

interface GithubWorkflow {
  jobs: Record<string, { steps: { run?: string }[] }>;
}

/** The commands of the workflow for GitHub, in order. */
export function githubCommands(): string[] {
  const text = readFileSync("examples/ci/github.yml", "utf8");
  const { jobs } = parse(text) as GithubWorkflow;
  return Object.values(jobs)
    .flatMap(({ steps }) => steps)
    .flatMap(({ run }) => run ?? []);
}

/** The commands of the job for GitLab, in order. */
export function gitlabCommands(): string[] {
  const text = readFileSync("examples/ci/gitlab-ci.yml", "utf8");
  const jobs = parse(text) as Record<string, { script: string[] }>;
  return Object.values(jobs).flatMap(({ script }) => script);
}
