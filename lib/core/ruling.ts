/**
 * What the dispatch policy says of one issue: one word for each refusal, in the order in which they are looked for,
 * then the word for going on. `detail` beside it says why.
 */
export const rulings = [
  'executor unavailable',
  'not enrolled',
  'renamed',
  'repo unreadable',
  'repo paused',
  'repo archived',
  'issues off',
  'preflight failed',
  'base red',
  'gone',
  'closed',
  'pull request',
  'locked',
  'label gone',
  'hold label',
  'with a human',
  'already run',
  'parent',
  'blocked',
  'repo busy',
  'still owed',
  'over the cap',
  'cooling down',
  'not trusted',
  'trust unknown',
  'changed since',
  'too long',
  'looked at before',
  'outranked',
  'look closer',
  'dispatch',
] as const;
export type Ruling = (typeof rulings)[number];

/** True for a word that refuses on its own; one that was stored by another version may be none. */
export const isRefusal = (word: string): word is Ruling =>
  rulings.some((ruling) => ruling === word) && word !== 'look closer' && word !== 'dispatch' && word !== 'outranked';

/** Whether the ruling of a closer look is remembered: not where nothing was learnt, nor where it goes on. */
export const isRemembered = (ruling: Ruling): boolean => ruling !== 'dispatch' && ruling !== 'trust unknown';
