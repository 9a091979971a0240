/** A director that can be in a wave. */
export interface WaveMember {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether a text is a wave: a number, a percentage, `all` or a label. */
export function isWave(text: string): boolean {
  return (
    text === "all" ||
    /^[1-9][0-9]{0,5}$/.test(text) ||
    /^([1-9]|[1-9][0-9]|100)%$/.test(text) ||
    /^[^=\s]+=\S*$/.test(text)
  );
}

/**
 * Divides directors into waves. Numbers and percentages count from the beginning: `1`, `10%`, `all` are the first director,
 * then more up to a tenth, then the rest. A label takes the directors that have it. Each director is in its first wave.
 */
export function divideIntoWaves<Member extends WaveMember>(
  waves: readonly string[],
  members: readonly Member[],
): Member[][] {
  const left = new Set(members);
  return waves.map((wave) => {
    const taken = membersOf(wave, [...left], members.length);
    for (const member of taken) left.delete(member);
    return taken;
  });
}

/** @param all the number of directors in all waves */
function membersOf<Member extends WaveMember>(
  wave: string,
  left: readonly Member[],
  all: number,
): Member[] {
  const at = wave.indexOf("=");
  if (at > 0) {
    const [key, value] = [wave.slice(0, at), wave.slice(at + 1)];
    return left.filter(({ labels }) => labels[key] === value);
  }
  if (wave === "all") return [...left];
  const upTo = wave.endsWith("%")
    ? Math.ceil((all * Number(wave.slice(0, -1))) / 100)
    : Number(wave);
  const before = all - left.length;
  return left.slice(0, Math.max(upTo - before, 0));
}
