import * as z from 'zod';
import type { AgentAct, AgentScript, AgentTurn } from './t3-agent-script.ts';

/**
 * The sandbox's agents: each a pure function of the turn it is given. They read their run's id from the prompt, as a
 * real agent has to, and touch the world only by pushing.
 */

/** What an agent does to the repo. `ci` is what CI will find; `onTop` is a merge commit of somebody else's branch. */
export const WorldAct = z.strictObject({
  push: z.array(z.string()),
  ci: z.enum(['green', 'red']),
  branch: z.string().optional(),
  onTop: z.boolean().optional(),
  /** Opens a pull request from the branch, where there is none yet, and says what people make of it. */
  pull: z
    .strictObject({
      title: z.string(),
      body: z.string(),
      draft: z.boolean().optional(),
      /** It turns out to conflict at once; until the branch is pushed to again. */
      conflicts: z.boolean().optional(),
      /** What CI finds on the default branch after the merge. */
      onMain: z.enum(['green', 'red']).optional(),
      /** What a person does so long after: merges it as soon as it can be, closes it, reviews it; or auto-merge does. */
      fate: z
        .strictObject({
          does: z.enum(['merge', 'squash', 'rebase', 'squash in own words', 'close', 'ask for changes', 'auto-merge']),
          afterMs: z.number(),
        })
        .optional(),
    })
    .optional(),
});
export type WorldAct = z.infer<typeof WorldAct>;

export const agentNames = [
  'lands at once',
  'lands after a red CI',
  'never gets green',
  'stops without pushing',
  'crashes',
  'cannot start',
  'hangs',
  'closes the issue by keyword and turns out red',
  'pushes a merge commit on top',
  'asks a question and takes the answer',
  'asks again and again',
  'needs a nudge',
  'meets a failing provider',
  'never meets its provider',
  'spends too much',
  'stays alive after green',
  'takes its time',
  'opens a pull request that is merged',
  'opens a pull request whose checks are red first',
  'opens a pull request that nobody merges',
  'opens a pull request that a person closes',
] as const;
export type AgentName = (typeof agentNames)[number];

/** What an agent of that name does with this turn of that issue. */
export const agentOf = (name: AgentName, issue: number, turn: AgentTurn): AgentScript => {
  const run = /AFK-Run: ([0-9a-f]{32})/.exec(turn.text)?.[1] ?? null;
  const isFix = turn.turnNumber > 1;
  const refs = `Refs #${issue}`;
  switch (name) {
    case 'lands at once':
      return works(lands(run, refs, 'green'));
    case 'lands after a red CI':
      return works(lands(run, refs, isFix ? 'green' : 'red'));
    case 'never gets green':
      return works(lands(run, refs, 'red'));
    case 'stops without pushing':
      return works(stopsShort);
    case 'crashes':
      return works([
        { afterMs: minutes(2), does: 'tool', detail: 'Bash: npm test' },
        { afterMs: minutes(2), does: 'end', how: 'crash' },
      ]);
    case 'cannot start':
      return { starts: 'missing-binary' };
    case 'hangs':
      return works([{ afterMs: minutes(2), does: 'tool', detail: 'Bash: npm run dev' }]);
    case 'closes the issue by keyword and turns out red':
      return works(lands(run, isFix ? refs : `Closes #${issue}`, isFix ? 'green' : 'red'));
    case 'pushes a merge commit on top':
      return works(lands(run, refs, 'green', true));
    case 'asks a question and takes the answer':
      return works([
        { afterMs: minutes(2), does: 'ask', question: 'Which database should I use?', options: [] },
        ...lands(run, refs, 'green'),
      ]);
    case 'asks again and again':
      return works([
        { afterMs: minutes(2), does: 'ask', question: 'Which database should I use?', options: [] },
        { afterMs: minutes(1), does: 'ask', question: 'And which port?', options: [] },
        { afterMs: minutes(1), does: 'end', how: 'completed', text: 'I still do not know.' },
      ]);
    case 'needs a nudge':
      return isFix ? works(lands(run, refs, 'green')) : works(stopsShort);
    case 'meets a failing provider':
      return turn.turnNumber === 1 ? works(providerFails) : works(lands(run, refs, 'green'));
    case 'never meets its provider':
      return works(providerFails);
    case 'spends too much':
      return works([
        { afterMs: minutes(2), does: 'tool', detail: 'Bash: npm test' },
        { afterMs: minutes(2), does: 'tokens', total: 9_000_000, told: 'now' },
        ...Array.from(
          { length: 12 },
          (): AgentAct => ({ afterMs: minutes(5), does: 'tool', detail: 'Bash: npm test' }),
        ),
      ]);
    case 'stays alive after green':
      return works([
        ...lands(run, refs, 'green').slice(0, -1),
        ...Array.from({ length: 12 }, (): AgentAct => ({ afterMs: minutes(5), does: 'tool', detail: 'Read: docs' })),
      ]);
    case 'takes its time':
      // What it had done stands in its worktree: a second turn has only to land it.
      if (isFix) return works(lands(run, refs, 'green'));
      return works([
        ...Array.from({ length: 4 }, (): AgentAct => ({ afterMs: minutes(8), does: 'tool', detail: 'Bash: npm test' })),
        ...lands(run, refs, 'green'),
      ]);
    case 'opens a pull request that is merged':
      return works(proposes(run, issue, { fate: { does: 'squash', afterMs: minutes(15) } }));
    case 'opens a pull request whose checks are red first':
      return works(proposes(run, issue, { fate: { does: 'rebase', afterMs: minutes(15) } }, isFix ? 'green' : 'red'));
    case 'opens a pull request that nobody merges':
      return works(proposes(run, issue, {}));
    case 'opens a pull request that a person closes':
      return works(proposes(run, issue, { fate: { does: 'close', afterMs: minutes(15) } }));
  }
};

const minutes = (n: number): number => n * 60_000;

const stopsShort: readonly AgentAct[] = [
  { afterMs: minutes(2), does: 'tool', detail: 'Read: src/report.ts' },
  { afterMs: minutes(1), does: 'change-file', path: 'src/report.ts' },
  {
    afterMs: minutes(1),
    does: 'end',
    how: 'completed',
    text: 'Two designs are possible here, and the issue does not say which one is wanted. I stopped before choosing.',
  },
];

/** Told as an ordinary reply, after which the turn reads completed. */
const providerFails: readonly AgentAct[] = [
  { afterMs: 5000, does: 'end', how: 'api-error', text: 'API Error: Overloaded' },
];

const works = (acts: readonly AgentAct[]): AgentScript => ({ starts: 'ok', startMs: 4000, acts });

/** Test first, then the change, on a branch of its own, and a pull request from it, as the preamble asks. */
export const proposes = (
  run: string | null,
  issue: number,
  pull: Omit<NonNullable<WorldAct['pull']>, 'title' | 'body'>,
  ci: WorldAct['ci'] = 'green',
  branch = 'mend',
): readonly AgentAct[] => {
  const refs = `Refs #${issue}`;
  const trailer = run === null ? '' : `AFK-Run: ${run}`;
  const act: WorldAct = {
    push: [
      `test: show the fault\n\n${refs}\n\n${trailer}\nAFK-Phase: tests-red`,
      `fix: mend it\n\n${refs}\n\n${trailer}\nAFK-Phase: green`,
    ],
    ci,
    branch: `${branch}-${issue}`,
    pull: { title: 'Mend it', body: `It was broken.\n\n${refs}\n\n${trailer}`, ...pull },
  };
  return [
    { afterMs: minutes(2), does: 'tool', detail: 'Bash: npm test' },
    { afterMs: minutes(1), does: 'change-file', path: 'src/index.ts' },
    { afterMs: minutes(1), does: 'tokens', total: 180_000 },
    { afterMs: minutes(1), does: 'world', act },
    { afterMs: minutes(1), does: 'end', how: 'completed', text: 'Opened a pull request with the fix and its test.' },
  ];
};

/** Test first, then the change, then one push with both, as the preamble asks. */
const lands = (run: string | null, refs: string, ci: WorldAct['ci'], onTop = false): readonly AgentAct[] => {
  const trailers = (phase: string) => `${refs}\n\n${run === null ? '' : `AFK-Run: ${run}\n`}AFK-Phase: ${phase}`;
  const act: WorldAct = {
    push: [`test: show the fault\n\n${trailers('tests-red')}`, `fix: mend it\n\n${trailers('green')}`],
    ci,
    ...(onTop && { onTop }),
  };
  return [
    { afterMs: minutes(1), does: 'tool', detail: 'Bash: git worktree add' },
    { afterMs: minutes(2), does: 'tool', detail: 'Bash: npm test' },
    { afterMs: minutes(1), does: 'change-file', path: 'src/index.ts' },
    { afterMs: minutes(1), does: 'tokens', total: 180_000 },
    { afterMs: minutes(1), does: 'world', act },
    { afterMs: minutes(1), does: 'end', how: 'completed', text: 'Pushed the fix with its test.' },
  ];
};
