/** The lowest `n` of labels `priority:<n>`, or null where there is none, which sorts last. */
export const priorityOf = (labels: readonly string[]): number | null => {
  const found = labels.flatMap((label) => {
    const digits = /^priority:\s{0,5}(\d{1,6})$/i.exec(label.trim())?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
  return found.length === 0 ? null : Math.min(...found);
};

/** Orders issues of one repo: the lower priority first, none last, then the lower number. */
export const byUrgency = (a: Urgent, b: Urgent): number => {
  const [left, right] = [priorityOf(a.labels), priorityOf(b.labels)];
  if (left !== right) return left === null ? 1 : right === null ? -1 : left - right;
  return a.number - b.number;
};
type Urgent = { number: number; labels: readonly string[] };
