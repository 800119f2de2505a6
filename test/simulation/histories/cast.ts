import { agentOf } from '../../../lib/sandbox/agents.ts';
import type { Ci } from '../../../lib/sandbox/github-ci.ts';
import type { AgentAct, AgentScript, AgentTurn } from '../../../lib/sandbox/t3-agent-script.ts';
import type { Agent } from '../../../lib/sandbox/world.ts';
import type { CiMood, HistoryIssue, OddAgent } from './history.ts';

/** Who plays an issue's agent: one of the sandbox's, or one of those that only histories have. */
export const cast = (name: HistoryIssue['agent']): Agent => {
  switch (name) {
    case 'goes deaf':
    case 'never done':
    case 'slow and red':
    case 'skips CI':
    case 'pushes to a branch':
      return (turn) => odd(name, turn);
    default:
      return name;
  }
};

const minuteMs = 60_000;
const tool: AgentAct = { afterMs: 8 * minuteMs, does: 'tool', detail: 'Bash: npm test' };
const end: AgentAct = { afterMs: minuteMs, does: 'end', how: 'completed', text: 'Pushed.' };

const odd = (name: OddAgent, turn: AgentTurn): AgentScript => {
  const run = /AFK-Run: ([0-9a-f]{32})/.exec(turn.text)?.[1] ?? turn.threadId.slice(-32);
  const push = (subject: string, more: Record<string, unknown> = {}): AgentAct => ({
    afterMs: minuteMs,
    does: 'world',
    act: { push: [`${subject}\n\nRefs #1\n\nAFK-Run: ${run}\nAFK-Phase: green`], ci: 'green', ...more },
  });
  const works = (acts: readonly AgentAct[]): AgentScript => ({ starts: 'ok', startMs: 4000, acts });
  switch (name) {
    // Stays at work and answers to nothing; somebody has to kill it on the host.
    case 'goes deaf':
      return turn.turnNumber > 1 ? agentOf('lands at once', 1, turn) : { starts: 'ok', deaf: true, acts: [tool] };
    case 'never done':
      return works(Array.from({ length: 100 }, () => tool));
    case 'slow and red':
      return works([...Array.from({ length: 28 }, () => tool), push('fix: try', { ci: 'red' }), end]);
    case 'skips CI':
      return works([push('fix: mend it [skip ci]'), end]);
    case 'pushes to a branch':
      return works([tool, push('fix: mend it', { branch: 'mended' }), end]);
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
    case 'is cut short':
      return () => [
        { ...test, endsAfterMs: 90_000, conclusion: 'cancelled' },
        { ...test, name: 'lint' },
      ];
  }
};
