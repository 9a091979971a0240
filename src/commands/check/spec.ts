import type { SubcommandSpec } from "../../cli/spec.js";

export const checkSpec: SubcommandSpec = {
  name: "check",
  summary: "find what is wrong with files of rules",
  description: [
    "Reads files of rules, each starting from an empty table, and says all that is wrong with them: as errors, what has not the right form or is refused by every kernel; as warnings, what is taken but hardly meant, such as a service without real servers or a port that direct routing does not change. It asks no kernel, needs no privileges, and runs anywhere.",
    "A file has command lines as -S and ipvsadm-save write them and -R reads them, or a table as 'ipvsadm list -o json' and '-o yaml' print it. Its first line that is no comment tells which; where it does not, the ending of its name does.",
    "Exits with status 1 if there is an error or a file cannot be read.",
  ],
  positionals: [
    {
      name: "FILE",
      required: true,
      many: true,
      description: "files of rules; - is standard input",
      completes: "file",
    },
  ],
  options: [
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FORMAT",
      choices: ["text", "json"],
      default: "text",
      description: "how to print what was found",
    },
    {
      name: "strict",
      type: "flag",
      description: "exit with status 1 on warnings, too",
    },
    {
      name: "no-resolve",
      type: "flag",
      description:
        "look up no host: names are taken for hosts that there are, each with an address of its own",
    },
  ],
  examples: [
    {
      command: "ipvsadm check /etc/ipvsadm.rules",
      shows: "whether rules can be restored, before it is done",
    },
    {
      command: "ipvsadm check --strict --no-resolve rules/*.yaml",
      shows: "the same where files are kept, without a director or a resolver",
    },
    {
      command: "ipvsadm list -o json | ipvsadm check -",
      shows: "what is doubtful in the kernel's table",
    },
  ],
};
