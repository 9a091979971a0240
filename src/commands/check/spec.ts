import type { SubcommandSpec } from "../../cli/spec.js";
import { outputOption } from "../../cli/common-options.js";

export const checkSpec: SubcommandSpec = {
  name: "check",
  summary: "find mistakes in files of rules",
  description: [
    "Checks files of rules and reports all errors and warnings. Errors: malformed rules, and rules that every kernel refuses. Warnings: rules that are accepted, but are probably a mistake, such as a service without real servers, or a port that direct routing ignores. Each file is read as if the table were empty. check does not use the kernel, needs no privileges, and runs on any machine.",
    "A file contains classic options, as ipvsadm-save writes them, or a table in JSON or YAML, as 'ipvsadm list -o json' prints it. The first line that is not a comment determines the format, or else the extension of the file name.",
    "FILE can also be the configuration of keepalived or ldirectord. Virtual services, real servers and sync daemons are checked. Health checks and VRRP are not read. Warnings also show what keepalived ignores.",
    "The exit status is 1 if there are errors, or if a file cannot be read.",
  ],
  positionals: [
    {
      name: "FILE",
      required: true,
      many: true,
      description:
        "file of rules, or configuration of keepalived or ldirectord; - is standard input",
      completes: "file",
    },
  ],
  options: [
    outputOption(
      ["text", "json", "sarif", "github"],
      "sarif is for code scanning, github makes annotations in GitHub Actions",
    ),
    {
      name: "quiet",
      alias: "q",
      type: "flag",
      description: "print only findings, and nothing for a file without any",
    },
    {
      name: "strict",
      type: "flag",
      description: "also exit with status 1 if there are warnings",
    },
    {
      name: "no-resolve",
      type: "flag",
      description: "do not look up host names; assume that every name exists",
    },
  ],
  examples: [
    {
      command: "ipvsadm check /etc/ipvsadm.rules",
      shows: "check rules before they are restored",
    },
    {
      command: "ipvsadm check --strict --no-resolve rules/*.yaml",
      shows: "check rules in a pipeline, without a resolver",
    },
    {
      command: "ipvsadm check -o sarif rules/*.yaml >check.sarif",
      shows: "write the findings for a code scanning service",
    },
    {
      command: "ipvsadm list -o json | ipvsadm check -",
      shows: "check the current table for probable mistakes",
    },
  ],
};
