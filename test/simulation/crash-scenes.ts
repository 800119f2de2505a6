import type { AgentName } from '../../lib/sandbox/agents.ts';
import { runToRest, simulation } from './simulation.ts';

type Scene = readonly [AgentName, 'done' | 'handed back'];

/** Five agents whose ways through the two ticks differ most, and how each issue must end however often we die. */
export const plainScenes: readonly Scene[] = [
  ['lands at once', 'done'],
  ['lands after a red CI', 'done'],
  ['closes the issue by keyword and turns out red', 'done'],
  ['stops without pushing', 'handed back'],
  ['cannot start', 'handed back'],
];

/** The situations that ask the agent for more than a turn. */
export const deepScenes: readonly Scene[] = [
  ['asks a question and takes the answer', 'done'],
  ['asks again and again', 'handed back'],
  ['needs a nudge', 'done'],
  ['meets a failing provider', 'done'],
];

/** Scenes that are killed right before each port call too: nothing happens between two calls, so one of them is enough. */
export const beforeToo: readonly Scene[] = plainScenes.slice(0, 1);

/** How many port calls a scene takes to its rest; each is a moment at which it may die. */
export const callsOf = async (agent: AgentName): Promise<number> => {
  const whole = simulation([{ repo: 'acme/web', agent }]);
  const wrong = await runToRest(whole);
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  return whole.calls();
};
