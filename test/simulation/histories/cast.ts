import { agentOf, proposes, type WorldAct } from '../../../lib/sandbox/agents.ts';
import type { Ci } from '../../../lib/sandbox/github-ci.ts';
import type { AgentAct, AgentScript, AgentTurn } from '../../../lib/sandbox/t3-agent-script.ts';
import type { Agent } from '../../../lib/sandbox/world.ts';
import { type CiMood, type HistoryIssue, type OddAgent, oddAgents, proposers } from './history.ts';

/** Who plays an issue's agent: one of the sandbox's, or one of those that only histories have. */
export const cast = (name: HistoryIssue['agent']): Agent => (isOdd(name) ? (turn) => odd(name, turn) : name);

const isOdd = (name: HistoryIssue['agent']): name is OddAgent =>
  [...oddAgents, ...proposers].some((odd) => odd === name);

const minuteMs = 60_000;
const tool: AgentAct = { afterMs: 8 * minuteMs, does: 'tool', detail: 'Bash: npm test' };
const longWork = (tools: number): AgentAct[] => Array.from({ length: tools }, () => tool);
const end: AgentAct = { afterMs: minuteMs, does: 'end', how: 'completed', text: 'Pushed.' };

type Proposal = Omit<NonNullable<WorldAct['pull']>, 'title' | 'body'>;
const merged: Proposal = { fate: { does: 'merge', afterMs: 10 * minuteMs } };
/** What may come of the pull request that is to mend a merge. */
const mendings: readonly (readonly [Proposal, 'green' | 'red'])[] = [
  [merged, 'green'],
  [{ draft: true }, 'green'],
  [{ conflicts: true }, 'green'],
  [{ fate: { does: 'close', afterMs: 10 * minuteMs } }, 'green'],
  [{}, 'green'],
  [{}, 'red'],
];

const odd = (name: OddAgent, turn: AgentTurn): AgentScript => {
  const run = /AFK-Run: ([0-9a-f]{32})/.exec(turn.text)?.[1] ?? turn.threadId.slice(-32);
  const push = (subject: string, more: Record<string, unknown> = {}): AgentAct => ({
    afterMs: minuteMs,
    does: 'world',
    act: { push: [`${subject}\n\nRefs #1\n\nAFK-Run: ${run}\nAFK-Phase: green`], ci: 'green', ...more },
  });
  const isFirst = turn.turnNumber === 1;
  const proposal = (pull: Proposal, ci: 'green' | 'red' = 'green'): AgentScript =>
    works(proposes(run, 1, pull, ci, `mend-${run.slice(0, 8)}-${isFirst ? 'first' : 'again'}`));
  const works = (acts: readonly AgentAct[]): AgentScript => ({ starts: 'ok', startMs: 4000, acts });
  const redFirst = works([tool, push('fix: try', { ci: 'red' }), end]);
  switch (name) {
    // Stays at work and answers to nothing; somebody has to kill it on the host.
    case 'goes deaf':
      return turn.turnNumber > 1 ? agentOf('lands at once', 1, turn) : { starts: 'ok', deaf: true, acts: [tool] };
    case 'never done':
      return works(longWork(100));
    case 'slow and red':
      return works([...longWork(28), push('fix: try', { ci: 'red' }), end]);
    case 'is red and hangs':
      return isFirst ? redFirst : works([tool]);
    case 'is red and asks on and on':
      return isFirst ? redFirst : agentOf('asks again and again', 1, turn);
    case 'is red and never done':
      return isFirst ? redFirst : works(longWork(100));
    case 'skips CI':
      return works([push('fix: mend it [skip ci]'), end]);
    case 'pushes to a branch':
      return works([tool, push('fix: mend it', { branch: 'mended' }), end]);
    case 'proposes a draft':
      return proposal(isFirst ? { draft: true } : merged);
    case 'proposes what conflicts':
      return proposal({ conflicts: isFirst, ...merged });
    case 'is asked for changes':
      return proposal({ fate: { does: 'ask for changes', afterMs: 12 * minuteMs } });
    case 'leaves it to auto-merge':
      return proposal({ fate: { does: 'auto-merge', afterMs: 0 } });
    case 'is squashed in others’ words':
      return proposal({ fate: { does: 'squash in own words', afterMs: 8 * minuteMs } });
    case 'is merged and red': {
      const [pull, ci] = mendings[Number.parseInt(run.slice(0, 4), 16) % mendings.length] ?? [merged, 'green'];
      return isFirst ? proposal({ onMain: 'red', ...merged }) : proposal(pull, ci);
    }
    case 'proposes slowly':
      return works([
        ...longWork(13),
        ...proposes(run, 1, { draft: turn.turnNumber < 3 }, 'green', `slow-${run.slice(0, 8)}`),
      ]);
    case 'is red and starts no more':
      return isFirst ? works([tool, push('fix: try', { ci: 'red' }), end]) : { starts: 'missing-binary' };
    case 'is red and spends too much':
      return isFirst
        ? works([tool, push('fix: try', { ci: 'red' }), end])
        : works([{ afterMs: minuteMs, does: 'tokens', total: 9_000_000, told: 'now' }, ...longWork(10), end]);
    case 'asks for an approval':
      return isFirst
        ? works([
            tool,
            { afterMs: minuteMs, does: 'approve', detail: 'Bash: npm publish', onDecline: [tool] },
            push('fix: mend it'),
            end,
          ])
        : works([tool, push('fix: mend it'), end]);
    case 'exits with zero':
      return isFirst ? works([tool, { ...end, how: 'exit-zero' }]) : works([tool, push('fix: mend it'), end]);
    case 'reports an error':
      return works([tool, { afterMs: minuteMs, does: 'end', how: 'error', lastError: 'error_during_execution' }]);
    // Reads over, and goes on: in a turn of its own, half an hour later.
    case 'works on unseen': {
      const afterEnd = [tool, push('fix: mend it'), end];
      return works([tool, { afterMs: minuteMs, does: 'end', how: 'background', backgroundMs: 20_000, afterEnd }]);
    }
    case 'takes a message into its turn':
      return { starts: 'ok', startMs: 4000, steering: 'absorb', acts: [...longWork(2), push('fix: mend it'), end] };
    case 'is green and then red':
      return works([
        tool,
        push('fix: mend it'),
        { afterMs: 6 * minuteMs, does: 'tool', detail: 'Read: docs' },
        isFirst ? push('refactor: tidy up', { ci: 'red' }) : push('fix: mend again'),
        end,
      ]);
    case 'proposes what stays red':
      return proposal({}, 'red');
  }
};

/** What CI does about every push but a repo's first; undefined where it is the usual. */
export const ciOf = (mood: CiMood): Ci | undefined => {
  const test = { kind: 'check', name: 'test', startsAfterMs: 20_000 } as const;
  switch (mood) {
    case 'usual':
      return undefined;
    case 'falls silent':
      return () => [];
    case 'never ends':
      return () => [test];
    case 'waits for a person':
      return () => [{ ...test, unfinished: 'waiting' }];
    case 'is cancelled':
      return () => [{ ...test, endsAfterMs: 90_000, conclusion: 'cancelled' }];
    // Within the minute that a last completion is given.
    case 'begins its last check late':
      return () => [
        { ...test, endsAfterMs: 90_000, conclusion: 'success' },
        {
          ...test,
          name: 'report',
          queuedAfterMs: 130_000,
          startsAfterMs: 140_000,
          endsAfterMs: 200_000,
          conclusion: 'failure',
        },
      ];
    case 'is cut short':
      return () => [
        { ...test, endsAfterMs: 90_000, conclusion: 'cancelled' },
        { ...test, name: 'lint' },
      ];
  }
};
