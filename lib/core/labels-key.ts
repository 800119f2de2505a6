import { createHash } from 'node:crypto';

/** A short word for a set of labels, whatever their order: what a refusal remembers of them. */
export const labelsKeyOf = (labels: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([...new Set(labels)].sort()))
    .digest('hex')
    .slice(0, 16);
