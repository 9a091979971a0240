/**
 * A word of a command line, quoted if a shell would read it differently: the kernel allows interface names such as
 * `a;b$(x)`.
 */
export function shellWord(text: string): string {
  return /^[\w.@:/,-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
