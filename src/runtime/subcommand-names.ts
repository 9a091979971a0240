/** The names of the subcommands, for what does not load them: the text of -h, and the light program. */
export const SUBCOMMAND_NAMES = [
  "list",
  "connections",
  "watch",
  "monitor",
  "status",
  "check",
  "diff",
  "apply",
  "save",
  "restore",
  "drain",
  "undrain",
  "wait",
  "doctor",
  "setup",
  "serve",
  "metrics",
  "fleet",
  "completion",
  "help",
];

/** Their other names. */
export const SUBCOMMAND_ALIASES = ["ls", "show", "top"];
