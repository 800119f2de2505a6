import type { Break } from './catalogue.ts';

/** `docs/breaks.md`, byte for byte, from the breaks and what caught each; a break that nothing caught has no words for it. */
export const pageOf = (breaks: readonly Break[], caught: ReadonlyMap<string, string>): string => {
  const rows = breaks.map(({ name, promise, edits }) => {
    const files = [...new Set(edits.map(({ file }) => file))].map((file) => `[${nameOf(file)}](../${file})`);
    return `| ${cell(name)} | ${cell(promise)} | ${files.join(', ')} | ${cell(caught.get(name) ?? '')} |`;
  });
  return `${intro}\n| Break | What it breaks | Changed in | Caught first by |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
};

/** What caught each break, by its name, as the page says. */
export const rowsOf = (page: string): Map<string, string> =>
  new Map(
    page
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(2)
      .map((line) => {
        const [name = '', , , by = ''] = line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((part) => part.trim().replaceAll('\\|', '|'));
        return [name, by] as const;
      }),
  );

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
const nameOf = (file: string): string => file.split('/').at(-1) ?? file;

const intro = `# Breaks

A test is worth what it catches. Here the product is broken on purpose, one promise at a time, and the table says which
test noticed first. What exactly is changed stands in [catalogue.ts](../test/breaks/catalogue.ts).

\`\`\`
npm run breaks
npm run breaks -- --only "act before recording"
npm run breaks -- --write
\`\`\`

Each break is made in a private copy of the project, after a run of all tests without any break. The simulation is tried
first, then the stories next to it (\`test/regression\`, \`test/shell\`), and only then tables, contracts and the rest: a
break that only a table catches is one that no story would have met. The page of outcomes that the simulation writes is
compared last of all: it differs by almost any break, and names none. A test that is only too slow catches nothing; the
others of its stage are then run to the end. A break that nothing catches ends the run with exit code 1, and asks for
the missing invariant before anything else.

\`npm test\` checks that every text to be changed is still where the catalogue looks for it, and that this page lists
every break. \`--write\` writes the page.
`;
