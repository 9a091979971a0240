import type { SubcommandSpec } from "../../cli/spec.js";
import { SHELLS } from "./shells.js";

export const completionSpec: SubcommandSpec = {
  name: "completion",
  summary: "a script by which a shell completes command lines",
  description: [
    "Prints a script for bash, zsh or fish. With it the tab key completes commands, subcommands and those options that go with what stands on the line, schedulers and their flags, interfaces, and what is in the kernel's table: virtual services, and the real servers of a service.",
    "What is in the table, only those see who may ask for it.",
  ],
  positionals: [
    {
      name: "SHELL",
      required: true,
      choices: SHELLS,
      description: "the shell that is to read it",
      completes: "shell",
    },
  ],
  options: [],
  examples: [
    {
      command: "ipvsadm completion bash",
      shows:
        'the script: with eval "$(ipvsadm completion bash)" in ~/.bashrc every new bash completes',
    },
    {
      command: "ipvsadm completion zsh",
      shows:
        "that for zsh: source <(ipvsadm completion zsh) in ~/.zshrc, behind compinit",
    },
    {
      command: "ipvsadm completion fish | source",
      shows: "completes in this fish; in ~/.config/fish/config.fish, in each",
    },
    {
      command: "ipvsadm completion bash > ipvsadm",
      shows:
        "a file for /usr/share/bash-completion/completions, where bash-completion looks for all users",
    },
  ],
};
