import { readLines } from './markdown-text.ts';
import { comparable } from './repo-name.ts';

/**
 * The issues a body says it is blocked by, as lower-case `owner/name#n`, each once, in order, at most 50. `repoName`
 * is where a bare `#n` points. Two forms, case aside:
 *
 * - a clause, "blocked by" to the end of its sentence: `Blocked by #1, owner/name#2 and https://github.com/o/r/issues/3`;
 *   where the phrase ends its line, the list right below it;
 * - a heading that begins with it (`## Blocked by`), to the next heading.
 *
 * Code, comments and struck-out words say nothing; quoted lines do. A negated or past phrase ("not", "no longer",
 * "was", "previously blocked by", "unblocked by") opens no clause, and a word of another relation ("blocks", "see",
 * "fixes", "but", …) closes one. In doubt a reference counts: a blocker too many is seen and named, one too few starts
 * work too early. Pure, and linear in the length of the body.
 */
export const blockersIn = (body: string, repoName: string): string[] => {
  const found = new Set<string>();
  let within: 'text' | 'list' | 'section' = 'text';
  let open: Clause | null = null;
  for (const line of readLines(body)) {
    if (found.size >= blockersMax) break;
    const heading = /^ {0,3}#{1,6}(?=[ \t]|$)/.exec(line)?.[0];
    if (heading !== undefined) {
      within = /^[^a-z]{0,20}blocked[\s-]{1,5}by\b/i.test(line.slice(heading.length)) ? 'section' : 'text';
      open = null;
    } else if (/^[\s>=-]*$/.test(line)) {
      // An empty line or a rule ends a sentence, though not a list.
      open = null;
      continue;
    } else if (within === 'list' && open === null && !listItem.test(line)) within = 'text';

    const clause: Clause | null = open ?? (within === 'text' ? null : emptyClause);
    const { refs, left } = readLine(line, clause, within === 'section');
    for (const ref of refs) found.add(ref.startsWith('#') ? `${comparable(repoName)}${ref}` : ref);
    if (within === 'text' && left !== null && awaitsList(left)) within = 'list';
    open = left !== null && (awaitsList(left) || isUnfinished(left)) ? left : null;
  }
  return [...found].slice(0, blockersMax);
};

/**
 * A cycle of blockers through `from`, the shortest, as the path from it back to itself; null where there is none
 * within 200 issues. `graph` leads from an issue to those it is blocked by.
 */
export const cycleIn = (graph: ReadonlyMap<string, readonly string[]>, from: string): string[] | null => {
  const cameFrom = new Map<string, string>();
  const queue = [from];
  for (let at = 0; at < Math.min(queue.length, 200); at += 1) {
    const here = queue[at] ?? from;
    for (const blocker of graph.get(here) ?? []) {
      if (blocker === from) return [...pathTo(here, from, cameFrom), from];
      if (cameFrom.has(blocker)) continue;
      cameFrom.set(blocker, here);
      queue.push(blocker);
    }
  }
  return null;
};

const blockersMax = 50;

const listItem = /^[\s>]*(?:[-*+]\s|\d{1,9}[.)]\s|[([]*#\d|https?:|[\w.-]{1,100}\/[\w.-]{1,100}#\d)/;

// What follows "blocked by" so far: how many references and other words, and the last mark or word of all.
type Clause = { refs: number; words: number; last: string };
const emptyClause: Clause = { refs: 0, words: 0, last: '' };
const awaitsList = ({ refs, words, last }: Clause): boolean => refs === 0 && (words === 0 || last === ':');
const isUnfinished = ({ refs, last }: Clause): boolean => refs > 0 && [',', '&', '+', 'and', 'or'].includes(last);

// One pass over the line's tokens, so that many phrases in one line cost no more than one. A reference first, then a
// word with its hyphens and apostrophes, then the marks that part sentences; everything else is passed over.
const tokens = new RegExp(
  [
    /https?:\/\/(?:www\.)?github\.com\/(?<urlRepo>[\w.-]{1,100}\/[\w.-]{1,100})\/(?:issues|pull)\/(?<urlNumber>\d{1,9})(?!\d)/u,
    /(?<![\w./-])(?<repo>[\w.-]{1,100}\/[\w.-]{1,100})#(?<number>\d{1,9})(?!\w)/u,
    // The words of a link say less than where it leads.
    /(?<![\w/&#])#(?<bare>\d{1,9})(?!\w|\]\(https?:)/u,
    /(?<word>[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*)/u,
    /(?<end>[.!?;](?=[\s)\]"'*_]|$))/u,
    /(?<mark>[,:()|&+—–]|(?<=\s)-(?=\s))/u,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gu',
);

const readLine = (line: string, start: Clause | null, isSection: boolean): { refs: string[]; left: Clause | null } => {
  const refs: string[] = [];
  let clause = start;
  // The last words since a mark: what may negate a phrase.
  let before: string[] = [];
  for (const { groups = {} } of line.replace(itemNumber, '').toLowerCase().matchAll(tokens)) {
    const number = Number(groups['urlNumber'] ?? groups['number'] ?? groups['bare'] ?? 0);
    const word = groups['word']?.replaceAll('’', "'");
    if (number > 0) {
      if (clause !== null) refs.push(`${groups['urlRepo'] ?? groups['repo'] ?? ''}#${number}`);
      if (clause !== null) clause = { ...clause, refs: clause.refs + 1, last: '#' };
    } else if (word !== undefined) {
      if (word === 'blocked-by' || (word === 'by' && before.at(-1) === 'blocked')) {
        clause = isNegated(word === 'by' ? before.slice(0, -1) : before) ? null : emptyClause;
      } else if (clause !== null) {
        const isOver = otherRelations.has(word) || (clause.refs > 0 && turns.has(word));
        clause = isOver ? null : { ...clause, words: clause.words + 1, last: word };
      }
      before = [...before.slice(-wordsBeforeMax), word];
    } else {
      if (groups['end'] !== undefined && !isSection) clause = null;
      else if (clause !== null) clause = { ...clause, last: groups['mark'] ?? '' };
      before = [];
    }
  }
  return { refs, left: clause };
};

// Its full stop ends no sentence.
const itemNumber = /^[\s>]*\d{1,9}[.)]\s/;

const wordsBeforeMax = 6;
const otherRelations: ReadonlySet<string> = new Set([
  'none',
  'nothing',
  'nobody',
  'blocks',
  'blocking',
  'unblock',
  'unblocks',
  'unblocked',
]);
// Once a reference was named, these speak of something else.
const turns: ReadonlySet<string> = new Set([
  'but',
  'not',
  'see',
  'cf',
  'related',
  'relates',
  'fixes',
  'closes',
  'resolves',
  'refs',
  'unlike',
]);
const fillers: ReadonlySet<string> = new Set([
  'be',
  'been',
  'being',
  'to',
  'longer',
  'more',
  'anymore',
  'yet',
  'now',
  'currently',
  'actually',
  'really',
  'directly',
  'strictly',
]);
const negations: ReadonlySet<string> = new Set([
  'not',
  'no',
  'no-longer',
  'never',
  'was',
  'were',
  'had',
  'used',
  'cannot',
  'previously',
  'formerly',
  'nothing',
  'nobody',
]);

const isNegated = (before: readonly string[]): boolean => {
  const word = before.findLast((each) => !fillers.has(each)) ?? '';
  return negations.has(word) || word.endsWith("n't");
};

const pathTo = (to: string, from: string, cameFrom: ReadonlyMap<string, string>): string[] => {
  const path: string[] = [];
  for (let at = to; at !== from; at = cameFrom.get(at) ?? from) path.push(at);
  return [from, ...path.reverse()];
};
