/**
 * A word of a command line, quoted if a shell would take it for anything else: the kernel lets interfaces have names
 * such as `a;b$(x)`.
 */
export function shellWord(text: string): string {
  return /^[\w.@:/-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
