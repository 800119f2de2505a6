import { createHash } from 'node:crypto';

/**
 * Untrusted text as several lines: without terminal escapes, control characters, bidi overrides and whatever
 * is drawn as nothing; line ends are `\n`. At most `max` UTF-16 units, as schemas and products count, never half a
 * character; where something was cut, the last line says so. Pure and idempotent.
 */
export const cleanText = (text: string, max: number): string => cut(stripped(text).trim(), max, cutLine);

/** The same on one line: white space of any kind becomes one space, and a cut ends in `…`. */
export const cleanLine = (text: string, max: number): string => cut(oneLine(text), max, '…');

/** `cleanText` for what people see (comment, doorbell, log): also redacted, before it is cut, so that no half of a secret stays. */
export const publicText = (text: string, max: number): string => cut(redact(stripped(text)).trim(), max, cutLine);

/** `publicText` from its other end: the last `max` UTF-16 units, with `…` in front where something was cut. */
export const publicTail = (text: string, max: number): string => {
  const whole = redact(stripped(text))
    .replace(/\n(?:[ \t]*\n)+/g, '\n\n')
    .trim();
  if (whole.length <= max) return whole;
  const end = whole.slice(whole.length - Math.max(0, max - 1));
  return `…${/^[\udc00-\udfff]/.test(end) ? end.slice(1) : end}`.slice(0, Math.max(0, max));
};

/** `cleanLine` for what people see. */
export const publicLine = (text: string, max: number): string => cut(redact(oneLine(text)), max, '…');

/**
 * What looks like a credential becomes `[redacted]`; the name in front of it stays. Pure, idempotent and linear.
 * Rather too much than too little: a hidden word costs a look at the log, a published token costs the account.
 */
export const redact = (text: string): string =>
  secrets.reduce((safe, [pattern, replacement]) => safe.replace(pattern, replacement), text);

/**
 * At most so many bytes of UTF-8, never half a character, ending in `…` where something was cut: for what is stored,
 * since an item is counted in bytes.
 */
export const withinBytes = (text: string, bytesMax: number): string => {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax - Buffer.byteLength('…');
  // Back to where a character begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString('utf8')}…`;
};

/** A fenced block for a comment; the fence is longer than any run of backticks inside, so the text cannot leave it. */
export const fence = (text: string, label: string): string => {
  const ticks = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${ticks}${label}\n${text}\n${ticks}`;
};

/**
 * A fence for text given to an agent: its first and last line carry a number that follows from the run id and the
 * text. Whoever wrote the text knew neither the run id nor a text that holds its own hash, so it cannot close it.
 */
export const dataFence = (text: string, label: string, runId: string): string => {
  const nonce = createHash('sha256')
    .update(JSON.stringify([runId, label, text]))
    .digest('hex')
    .slice(0, 24);
  return `----- BEGIN ${label} ${nonce} -----\n${text}\n----- END ${label} ${nonce} -----`;
};

/**
 * Untrusted text on one line as an inline code span: there, mentions, references, closing keywords, links, images
 * and HTML are plain letters. Not to be put right behind a `$` or a backtick.
 */
export const quoteMarkdown = (text: string): string => {
  const line = oneLine(text);
  if (line === '') return '(empty)';
  const ticks = '`'.repeat(longestRun(line) + 1);
  // A backtick at either end would join the fence; CommonMark takes one space off each side again.
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${line}${pad}${ticks}`;
};

/**
 * Text that is ours but quotes others, as prose in a comment: ordinary words stay as they are, and whatever could
 * be a mention, a reference, a link, HTML or Markdown is put in a code span. An address below `home` (the repo's own)
 * stays a link. One line; not to begin a line.
 */
export const proseMarkdown = (text: string, home: string | null = null): string => {
  const isPlain = (word: string): boolean =>
    (plainWord.test(word) && !issueWord.test(word)) ||
    (home !== null && word.startsWith(`${home}/`) && /^[\w./-]+$/.test(word.slice(home.length)));
  const parts: { plain: boolean; words: string[] }[] = [];
  for (const word of oneLine(text)
    .split(' ')
    .filter((word) => word !== '')) {
    const plain = isPlain(word);
    const last = parts.at(-1);
    if (last?.plain === plain) last.words.push(word);
    else parts.push({ plain, words: [word] });
  }
  return parts.map(({ plain, words }) => (plain ? words.join(' ') : quoteMarkdown(words.join(' ')))).join(' ');
};

const cutLine = '\n[cut here]';

// Operating-system commands and other strings first, then sequences with parameters, then the short ones.
const escapes =
  /\u001b[\]PX^_][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]/g;

// C0 and C1 but for tab and newline; whatever Unicode says is drawn as nothing (zero-width and directional marks,
// fillers, variation selectors and tag characters, which can spell a whole sentence that nobody sees); interlinear
// marks; a line's and a paragraph's end, and the Braille cell without a dot. Of the selectors, the one that makes an
// emoji of a sign stays right behind such a sign, which no letter and no digit of a secret is.
const invisible =
  /(?<!\p{Extended_Pictographic})\ufe0f|(?!\ufe0f)[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Default_Ignorable_Code_Point}\u2028-\u202e\u2800\ufff9-\ufffb]/gu;

const stripped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(escapes, '')
    .replace(invisible, '');

const oneLine = (text: string): string => stripped(text).replace(/\s+/g, ' ').trim();

const cut = (text: string, max: number, mark: string): string => {
  if (text.length <= max) return text;
  // Where the mark alone would not fit, a bare cut is all that can be said.
  const tail = max > mark.length ? mark : '';
  const room = Math.max(0, max - tail.length);
  // Half a surrogate pair at the edge is dropped with its other half.
  const end = /[\ud800-\udbff]/.test(text.charAt(room - 1)) ? room - 1 : room;
  // Where nothing is left to end, the mark is its own line.
  return `${text.slice(0, end).trimEnd()}${tail}`.trimStart();
};

const longestRun = (text: string): number =>
  (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);

// Letters and digits, hyphens and apostrophes inside, the usual punctuation around, and a few signs that stand alone.
// Nothing Markdown or GitHub acts on, but for `gh-12`.
const plainWord = /^(?:["'“‘(]*[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’-][\p{L}\p{M}\p{N}]+)*[)"'”’.,;:!?%…]*|[–—·/])$/u;
const issueWord = /^\W*gh-\d/i;

const R = '[redacted]';
const name =
  '(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|private[-_]?key|client[-_]?key|credential|authorization)';

// In this order: whole blocks, then shapes that speak for themselves, then values with a telling name.
const secrets: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g, R],
  [/https?:\/\/hooks\.slack(?:-gov)?\.com\/[^\s"'<>)]*/gi, R],
  [/(?<![A-Za-z0-9])(?:gh[pousr]_|github_pat_|glpat-|npm_|tk_|sk-|xox[a-z]-|xapp-)[A-Za-z0-9_.-]{16,}/g, R],
  [/(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g, R],
  [/(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g, R],
  [/:\/\/[^\s/@:]{0,100}:[^\s/@]{1,300}@/g, `://${R}@`],
  [/\b(bearer|basic)(\s{1,5})[A-Za-z0-9._~+/=-]{16,}/gi, `$1$2${R}`],
  [new RegExp(`(${name}[\\w-]{0,20}["']?\\s{0,5}=\\s{0,5})(?:"[^"\\n]*"|'[^'\\n]*'|["']?[^\\s"'&]+)`, 'gi'), `$1${R}`],
  // Behind a colon prose is as likely as a value ("Unexpected token: else"), so only what is long and unbroken counts.
  [new RegExp(`(${name}[\\w-]{0,20}["']?\\s{0,5}:\\s{0,5})["']?[A-Za-z0-9+/_=.~-]{12,}["']?`, 'gi'), `$1${R}`],
];
