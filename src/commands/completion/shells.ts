/** The shells that we complete in. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The word by which the scripts call the program back; it is no subcommand for people. */
export const CALL_BACK = "complete";

export function isShell(word: string | undefined): word is Shell {
  return SHELLS.some((shell) => shell === word);
}
