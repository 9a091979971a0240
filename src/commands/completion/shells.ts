/** The supported shells. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The first argument of the calls from completion scripts. It is not a subcommand for people. */
export const CALLBACK = "complete";

export function isShell(word: string | undefined): word is Shell {
  return SHELLS.some((shell) => shell === word);
}
