import type { SubcommandSpec } from "../../cli/spec.js";
import { SHELLS } from "./shells.js";

export const completionSpec: SubcommandSpec = {
  name: "completion",
  summary: "print a completion script for a shell",
  description: [
    "Prints a completion script for bash, zsh or fish. With it, the tab key completes classic options, subcommands and their options, schedulers and their flags, interfaces, and services and real servers from the kernel's table.",
    "Completing services and real servers needs CAP_NET_ADMIN.",
  ],
  positionals: [
    {
      name: "SHELL",
      required: true,
      choices: SHELLS,
      description: "the shell that reads the script",
      completes: "shell",
    },
  ],
  options: [],
  examples: [
    {
      command: "ipvsadm completion bash",
      shows:
        'the script for bash. For every new shell, add this line to ~/.bashrc: eval "$(ipvsadm completion bash)"',
    },
    {
      command: "ipvsadm completion zsh",
      shows:
        "the script for zsh. Add this line to ~/.zshrc, after compinit: source <(ipvsadm completion zsh)",
    },
    {
      command: "ipvsadm completion fish | source",
      shows:
        "completion in this fish. For every new shell, add the line to ~/.config/fish/config.fish",
    },
    {
      command: "ipvsadm completion bash > ipvsadm",
      shows:
        "a file for all users: put it into /usr/share/bash-completion/completions",
    },
  ],
  printsData: true,
};
