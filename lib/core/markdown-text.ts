/**
 * The lines of a Markdown text as a reader takes them: without fenced code, inline code, HTML comments and struck-out
 * words. An unclosed fence or comment goes to the end, as it does on the tracker; inline code over several lines and
 * code by indentation stay. As many lines as there were. Linear in the length of the text.
 */
export const readLines = (markdown: string): string[] => {
  let fence: string | null = null;
  let inComment = false;
  return markdown.split(/\r\n|\r|\n/).map((line) => {
    const marker = inComment ? null : fenceOf(line);
    if (fence !== null) {
      if (marker?.run.startsWith(fence) && marker.isBare) fence = null;
      return '';
    }
    if (marker !== null) {
      fence = marker.run;
      return '';
    }
    const shown = withoutCode(line, inComment);
    inComment = shown.inComment;
    return withoutStruck(shown.text);
  });
};

/**
 * A Markdown text without its HTML comments, which nobody sees on the tracker's page; one that begins a line and is
 * not closed hides all that follows, as there. Code keeps its comments, since they are seen, as long as it is code
 * beyond doubt: fences in the first column and code spans on one line, up to the first thing that may make the page
 * take the rest another way (a tag, a fence within a list or a quote, a backtick without its partner). From there on
 * comments go wherever they stand. Line ends become `\n`. Linear in the length of the text.
 */
export const withoutComments = (markdown: string): string => {
  const text = markdown.replace(/\r\n?/g, '\n');
  if (!text.includes('<!--')) return text;
  const lineEndFrom = finder(text, /\n/g);
  const gapFrom = finder(text, /\n[ \t]*(?=\n)/g);
  const closeFrom = finder(text, /-->/g);
  let shown = '';
  let at = 0;
  let isSure = true;
  // Within what may be a block of HTML: where Markdown takes over again, a comment that is still open hides it all.
  let isTagged = false;
  while (at < text.length) {
    const isBehindComment = at > 0 && text[at - 1] !== '\n';
    const fenced = isSure && !isBehindComment ? fencedEnd(text, at) : null;
    if (fenced !== null) {
      shown += text.slice(at, fenced);
      at = fenced;
      continue;
    }
    const lineEnd = Math.min(lineEndFrom(at), text.length);
    const line = text.slice(at, lineEnd);
    if (!isBehindComment && line.trim() === '') isTagged = false;
    const seen = commentIn(line, isSure, isBehindComment);
    isSure = seen.isSure;
    isTagged ||= seen.isTagged;
    if (seen.at === null) {
      shown += text.slice(at, lineEnd + 1);
      at = lineEnd + 1;
      continue;
    }
    const start = at + seen.at;
    shown += text.slice(at, start);
    // From its third character, since `<!-->` is a whole one.
    const close = closeFrom(start + 2);
    const isOneBlock = seen.beginsLine && !isTagged && !isBehindComment;
    if (close < text.length && (isOneBlock || close < gapFrom(start))) at = close + '-->'.length;
    else if (isOneBlock || isTagged || isBehindComment) return shown;
    else {
      // Within a line of prose and never closed: the page shows it as it is.
      shown += text.slice(start, lineEnd + 1);
      at = lineEnd + 1;
      isSure = false;
    }
  }
  return shown;
};

// The first place at or after `from`; asked with rising places, it reads the text once.
const finder = (text: string, pattern: RegExp): ((from: number) => number) => {
  let found = -1;
  return (from) => {
    if (found >= from) return found;
    pattern.lastIndex = from;
    found = pattern.exec(text)?.index ?? Number.POSITIVE_INFINITY;
    return found;
  };
};

// Where the fenced code ends that begins here in the first column, its last line included; null where none begins.
const fencedEnd = (text: string, at: number): number | null => {
  const opening = /(`{3,})[^`\n]*$|(~{3,}).*$/my;
  opening.lastIndex = at;
  const run = opening.exec(text)?.slice(1).find(Boolean);
  if (run === undefined) return null;
  const closing = /\n {0,3}(`{3,}|~{3,})[ \t]*(?:\n|$)/g;
  closing.lastIndex = at;
  for (let found = closing.exec(text); found !== null; found = closing.exec(text)) {
    if (found[1]?.startsWith(run)) return closing.lastIndex;
    // The end of a line that closes nothing may be the start of one that does.
    closing.lastIndex -= 1;
  }
  return text.length;
};

/** The first comment of a line that code does not show, and what the line says of how those below it are taken. */
type SeenOnLine = { at: number | null; beginsLine: boolean; isSure: boolean; isTagged: boolean };

const commentIn = (line: string, wasSure: boolean, isBehindComment: boolean): SeenOnLine => {
  let isSure = wasSure && (isBehindComment || fenceOf(line) === null);
  let isTagged = false;
  const partner: ReadonlyMap<number, number> = isSure && !isBehindComment ? partners(line) : new Map();
  const mark = /`+|\\`|<!--|<(?=[a-z/?]|![a-z[])/gi;
  for (let found = mark.exec(line); found !== null; found = mark.exec(line)) {
    const { 0: token, index } = found;
    if (token === '<!--') {
      return { at: index, beginsLine: isMarks(line.slice(0, index)), isSure, isTagged };
    }
    const end = partner.get(index);
    if (token === '<' && isMarks(line.slice(0, index))) isTagged = true;
    // In a table, a bar parts two cells within a code span, too.
    if (isSure && end !== undefined && !line.slice(index, end).includes('|')) mark.lastIndex = end;
    else isSure = false;
  }
  return { at: null, beginsLine: false, isSure, isTagged };
};

// What may stand before a block's first character: the marks of quotes, list items and footnotes.
const isMarks = (before: string): boolean =>
  /^(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t]|\[\^[^\]\s]{1,100}\]:)*$/.test(before);

// Behind the marks of quotes and list items too, and at any indentation. Backticks behind backticks are inline code.
const fenceOf = (line: string): { run: string; isBare: boolean } | null => {
  const [, ticks, tildes] = /^(?:[ \t>]|[-*+] )*(?:(`{3,})[^`]*|(~{3,}).*)$/.exec(line) ?? [];
  const run = ticks ?? tildes;
  return run === undefined ? null : { run, isBare: line.trimEnd().endsWith(run) };
};

const withoutCode = (line: string, startsInComment: boolean): { text: string; inComment: boolean } => {
  const partner = partners(line);
  let text = '';
  let at = 0;
  let inComment = startsInComment;
  const mark = /`+|<!--/g;
  while (true) {
    if (inComment) {
      const end = line.indexOf('-->', at);
      if (end === -1) return { text, inComment };
      at = end + '-->'.length;
      inComment = false;
    }
    mark.lastIndex = at;
    const found = mark.exec(line);
    if (found === null) return { text: text + line.slice(at), inComment };
    text += `${line.slice(at, found.index)} `;
    at = found.index + found[0].length;
    if (found[0] === '<!--') inComment = true;
    else at = partner.get(found.index) ?? at;
  }
};

// For each run of backticks, where its code span ends: behind the next run of the same length. Found from the end, once.
const partners = (line: string): ReadonlyMap<number, number> => {
  const ends = new Map<number, number>();
  const nextEnd = new Map<number, number>();
  for (const { 0: run, index } of [...line.matchAll(/`+/g)].reverse()) {
    const end = nextEnd.get(run.length);
    if (end !== undefined) ends.set(index, end);
    nextEnd.set(run.length, index + run.length);
  }
  return ends;
};

// Each second part between pairs of marks; what follows a last mark without a partner is not struck out.
const withoutStruck = (line: string): string =>
  line
    .split('~~')
    .filter((_, index, parts) => index % 2 === 0 || index === parts.length - 1)
    .join(' ');
