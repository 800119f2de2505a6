import { assertNever } from './assert.ts';
import { blockersIn } from './blockers.ts';
import { everyGate, type Judged } from './dispatch-gates.ts';
import { issueKey } from './record.ts';
import type { Ruling } from './ruling.ts';

/** One gate for one issue. `passes` null: it could not be judged. `fact` is what it was judged on, in words. */
export type GateRow = { gate: string; passes: boolean | null; fact: string };

/** Every cheap gate with the fact behind it, whether it refuses or lets pass, in the order in which they are asked. Pure. */
export const gateRows = (judged: Judged): GateRow[] =>
  everyGate(judged).map(({ ruling, why }) => ({
    gate: ruling,
    passes: why === null,
    fact: why ?? factOf(ruling, judged),
  }));

/** Why a gate lets an issue pass. A ruling that is none of the cheap gates has nothing to say. */
const factOf = (ruling: Ruling, { repo, issue, context }: Judged): string => {
  const facts = context.repos.get(repo.id);
  const memory = context.memories.get(issueKey(repo, issue.number));
  const labels = facts?.settings.labels;
  switch (ruling) {
    case 'executor unavailable':
      return 'no two runs in a row failed to start';
    case 'not enrolled':
      return `${facts?.enrolledAs ?? repo.name} is in the allowlist`;
    case 'renamed':
      return 'it still has the name it was enrolled under';
    case 'repo unreadable':
      return 'its records and the tracker’s answer can be read';
    case 'repo paused':
      return 'paused is false in the settings';
    case 'repo archived':
      return 'it is not archived';
    case 'issues off':
      return 'its issues are switched on';
    case 'preflight failed':
      return `the last preflight found nothing in the way; the default branch is ${facts?.scan?.defaultBranch?.name ?? ''}`;
    case 'pull request':
      return 'it is an issue';
    case 'locked':
      return 'it is not locked';
    case 'label gone':
      return `the label ${labels?.ready ?? ''} is on`;
    case 'hold label':
      return `the label ${labels?.hold ?? ''} is not on`;
    case 'with a human':
    case 'already run':
      return memory?.spent
        ? `its last run ended as ${memory.spent.outcome}; whether it was labelled anew shows the closer look`
        : 'no run of it is remembered';
    case 'parent':
      return 'no sub-issue is open';
    case 'blocked': {
      const refs = blockersIn(issue.body, repo.name);
      return refs.length === 0 ? 'nothing blocks it' : `closed: ${refs.slice(0, 10).join(', ')}`;
    }
    case 'repo busy':
      return 'no run holds the repo';
    case 'still owed':
      return 'no ended run of it owes anything';
    case 'over the cap':
      return `${context.openRuns} of ${context.maxOpenRuns} runs are open, ${context.runsToday} of ${context.maxRunsPerDay} were begun today`;
    case 'cooling down':
      return 'it does not cool down';
    case 'looked at before':
      return 'no refusal of a closer look holds';
    // None of these is one of the cheap gates.
    case 'gone':
    case 'closed':
    case 'base red':
    case 'not trusted':
    case 'trust unknown':
    case 'changed since':
    case 'too long':
    case 'outranked':
    case 'look closer':
    case 'dispatch':
      return '';
    default:
      return assertNever(ruling);
  }
};
