import type { AgentName } from '../../lib/sandbox/agents.ts';

export type Ending = 'done' | 'handed back';

/** How an issue must end with each of the sandbox's agents, however often the process dies. */
export const scriptedEnds: Readonly<Record<AgentName, Ending>> = {
  'lands at once': 'done',
  'lands after a red CI': 'done',
  'never gets green': 'handed back',
  'stops without pushing': 'handed back',
  crashes: 'handed back',
  'cannot start': 'handed back',
  hangs: 'handed back',
  'closes the issue by keyword and turns out red': 'done',
  'pushes a merge commit on top': 'done',
  'asks a question and takes the answer': 'done',
  'asks again and again': 'handed back',
  'needs a nudge': 'done',
  'meets a failing provider': 'done',
  'never meets its provider': 'handed back',
  'spends too much': 'handed back',
  'stays alive after green': 'done',
  'takes its time': 'done',
  'opens a pull request that is merged': 'done',
  'opens a pull request whose checks are red first': 'done',
  'opens a pull request that nobody merges': 'handed back',
  'opens a pull request that a person closes': 'handed back',
};
