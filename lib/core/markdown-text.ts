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
