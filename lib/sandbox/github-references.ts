/** A mention of an issue in a text; `repo` is null for the text's own repository. */
export type Reference = { repo: string | null; number: number };

const mention = /(?:^|[^\w/-])(?:([\w.-]+\/[\w.-]+))?#(\d+)\b/g;
const closing = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:([\w.-]+\/[\w.-]+))?#(\d+)\b/gi;

const found = (text: string, pattern: RegExp): Reference[] =>
  [...text.matchAll(pattern)].map((match) => ({ repo: match[1] ?? null, number: Number(match[2]) }));

/** Every `#7` and `owner/name#7` in the text. */
export const mentionsIn = (text: string): Reference[] => found(text, mention);

/** Those that follow one of GitHub's closing keywords. */
export const closingsIn = (text: string): Reference[] => found(text, closing);
